import { Card, SimpleGrid, Stack, TextInput } from "@mantine/core";
import { useState, type FormEvent } from "react";
import { useChange } from "../../data/change";
import { api, fieldErrors, told, type Schemas } from "../../data/client";
import { readObject } from "../../data/payload";
import { useUnsaved } from "../../data/unsaved";
import { Button } from "../../parts/acts";
import { ObjectInput } from "../../parts/Json";
import { Leaving } from "../../parts/Leaving";
import { ChangeFailure } from "../../parts/states";
import { text } from "../../text";
import type { Subscriber } from "./List";

const words = text.subscribers;
const FIELDS = ["firstName", "lastName", "email", "phone", "locale", "timezone", "avatar"] as const;

export function Profile({ one }: { one: Subscriber }) {
  const [given, setGiven] = useState<Record<string, string>>(() => Object.fromEntries(FIELDS.map((name) => [name, one[name] ?? ""])));
  const [data, setData] = useState(one.data ? JSON.stringify(one.data, null, 2) : "");
  const read = data.trim() === "" ? null : readObject(data);
  const { changed, now, keep } = useUnsaved({ given, data });
  const save = useChange(
    async () => {
      const body: Schemas["ProfileIn"] = { ...Object.fromEntries(Object.entries(given).map(([name, value]) => [name, value || null])), data: read };
      await told(api.PATCH("/v2/subscribers/{subscriberId}", { params: { path: { subscriberId: one.subscriberId } }, body }));
      keep(now);
    },
    { stale: ["subscriber", "subscribers"], said: text.saved },
  );
  const fields = fieldErrors(save.error);
  function submit(event: FormEvent) {
    event.preventDefault();
    save.mutate();
  }
  return (
    <Card maw={760}>
      <Leaving changed={changed} loses={text.unsaved.form} />
      <form onSubmit={submit}>
        <Stack>
          <SimpleGrid cols={{ base: 1, sm: 2 }}>
            {FIELDS.map((name) => (
              <TextInput
                key={name}
                label={words.fields[name]}
                placeholder={words.placeholders[name]}
                value={given[name] ?? ""}
                onChange={(e) => setGiven({ ...given, [name]: e.currentTarget.value })}
                error={fields[name]}
              />
            ))}
          </SimpleGrid>
          <ObjectInput label={words.data} description={words.dataHelp} value={data} onChange={setData} error={fields["data"]} />
          {save.error && <ChangeFailure error={save.error} />}
          <Button needs="editor" type="submit" loading={save.isPending} disabled={data.trim() !== "" && read === null} style={{ alignSelf: "flex-start" }}>
            {text.save}
          </Button>
        </Stack>
      </form>
    </Card>
  );
}
