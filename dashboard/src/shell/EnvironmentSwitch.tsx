import { Button, ColorSwatch, Menu, Modal, PasswordInput, Stack, Text } from "@mantine/core";
import { IconCheck, IconChevronDown } from "@tabler/icons-react";
import { useState, type FormEvent } from "react";
import { useChange } from "../data/change";
import { api, Refused, told } from "../data/client";
import { environmentOf, useEnvironment, useEnvironments, type Environment } from "../data/environments";
import { session } from "../data/session";
import { text } from "../text";

const words = text.environment;

/** Says which environment is in use, and leads to the others. */
export function EnvironmentSwitch() {
  const environments = useEnvironments().data ?? [];
  const current = useEnvironment();
  const switching = useChange(enter, { failed: words.failed });
  const [asking, setAsking] = useState<Environment | null>(null);
  if (!current) return null;
  const from = current._id;
  function choose(one: Environment) {
    if (one._id === from) return;
    if (!session.key() || session.held().includes(one._id)) switching.mutate({ from, to: one._id });
    else setAsking(one);
  }
  return (
    <>
      <Menu position="bottom-start" width={240}>
        <Menu.Target>
          <Button
            variant="subtle"
            color="gray"
            size="compact-sm"
            leftSection={<Dot environment={current} />}
            rightSection={<IconChevronDown size={14} aria-hidden />}
            aria-label={`${words.label}: ${current.name}`}
          >
            {current.name}
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Label>{words.label}</Menu.Label>
          {environments.map((one) => (
            <Menu.Item
              key={one._id}
              leftSection={<Dot environment={one} />}
              rightSection={one._id === current._id ? <IconCheck size={14} aria-hidden /> : null}
              onClick={() => choose(one)}
            >
              {one.name}
            </Menu.Item>
          ))}
        </Menu.Dropdown>
      </Menu>
      <Modal
        opened={asking !== null}
        onClose={() => setAsking(null)}
        title={asking && words.switching(asking.name)}
        closeButtonProps={{ "aria-label": text.close }}
      >
        {asking && <KeyForm from={from} wanted={asking} />}
      </Modal>
    </>
  );
}

interface Way {
  from: string;
  to: string;
}

/** Look at another environment, with nothing left of this one; a member finds it again in other tabs. Who is refused stays, and
 * who stays after all, asked about what isn't saved: until the page is left what it saves goes to the environment it is of. */
async function enter({ from, to }: Way) {
  if (!session.key()) await told(api.PATCH("/v1/session", { body: { environmentId: to } }));
  session.choose(from);
  addEventListener("pagehide", () => session.choose(to), { once: true });
  location.assign("/");
}

function Dot({ environment }: { environment: Environment }) {
  return <ColorSwatch size={10} color={environment.color ?? "var(--mantine-color-gray-5)"} withShadow={false} aria-hidden />;
}

function KeyForm({ from, wanted }: { from: string; wanted: Environment }) {
  const [key, setKey] = useState("");
  const [error, setError] = useState<string | null>(null);
  async function submit(event: FormEvent) {
    event.preventDefault();
    try {
      const opened = await environmentOf(key.trim());
      if (opened._id !== wanted._id) return setError(words.other(wanted.name, opened.name));
      session.hold(opened._id, key.trim());
      await enter({ from, to: opened._id });
    } catch (reason) {
      setError(reason instanceof Refused && reason.status === 401 ? text.keyWrong : reason instanceof Error ? reason.message : String(reason));
    }
  }
  return (
    <form onSubmit={(event) => void submit(event)}>
      <Stack>
        <PasswordInput
          label={text.keyLabel}
          value={key}
          onChange={(event) => setKey(event.currentTarget.value)}
          error={error}
          autoComplete="off"
          required
          data-autofocus
        />
        <Text size="sm" c="dimmed">
          {words.help}
        </Text>
        <Button type="submit">{words.use}</Button>
      </Stack>
    </form>
  );
}
