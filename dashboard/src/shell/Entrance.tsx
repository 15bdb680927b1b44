/** The pages before the pages: sign in, first set-up, an invitation. */
import { Anchor, Button, Center, Paper, PasswordInput, Stack, Text, TextInput, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useState, type FormEvent, type ReactNode } from "react";
import { useChange } from "../data/change";
import { api, fieldErrors, Refused, told } from "../data/client";
import type { Entrance as Way } from "../data/entrance";
import { environmentOf } from "../data/environments";
import { session } from "../data/session";
import { ChangeFailure, Loaded } from "../parts/states";
import { text } from "../text";
import { Brand } from "./Brand";

const words = text.entrance;

export default function Entrance({ way, done }: { way: Exclude<Way, { to: "pages" }>; done: () => void }) {
  const [byKey, setByKey] = useState(false);
  if (way.to === "invitation") return <Invitation token={way.token} />;
  if (byKey) return <ByKey done={done} other={() => setByKey(false)} />;
  if (way.to === "set up") return <SetUp way={way} done={done} other={() => setByKey(true)} />;
  return <ByPassword done={done} other={() => setByKey(true)} />;
}

interface FrameProps {
  title: string;
  about?: string;
  submit: () => void;
  children: ReactNode;
  /** Another way in. */
  other?: { label: string; go: () => void };
}

function Frame({ title, about, submit, children, other }: FrameProps) {
  useEffect(() => {
    document.title = `${title} · ${text.product}`;
  }, [title]);
  function send(event: FormEvent) {
    event.preventDefault();
    submit();
  }
  return (
    <Center mih="100dvh" p="md" component="main" bg="var(--clarion-surface)">
      <Stack w="100%" maw={400} align="center">
        <Paper withBorder p="xl" w="100%" radius="lg" shadow="sm">
          <form onSubmit={send}>
            <Stack>
              <Brand />
              <div>
                <Title order={1} size="h3">
                  {title}
                </Title>
                {about && (
                  <Text size="sm" c="dimmed">
                    {about}
                  </Text>
                )}
              </div>
              {children}
            </Stack>
          </form>
        </Paper>
        {other && (
          <Anchor component="button" type="button" size="sm" onClick={other.go}>
            {other.label}
          </Anchor>
        )}
      </Stack>
    </Center>
  );
}

interface WayIn {
  done: () => void;
  other: () => void;
}

function ByPassword({ done, other }: WayIn) {
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const enter = useChange(() => told(api.POST("/v1/session", { body: { email, password } })), { then: done });
  const wrong = enter.error instanceof Refused && enter.error.status === 401;
  return (
    <Frame title={words.signIn} about={words.about} submit={() => enter.mutate()} other={{ label: words.withKey, go: other }}>
      <TextInput label={words.email} type="email" autoComplete="username" value={email} onChange={(e) => setEmail(e.currentTarget.value)} required />
      <PasswordInput
        label={words.password}
        autoComplete="current-password"
        value={password}
        onChange={(e) => setPassword(e.currentTarget.value)}
        error={wrong ? words.wrong : null}
        required
      />
      {enter.error && !wrong && <ChangeFailure error={enter.error} />}
      <Button type="submit" loading={enter.isPending}>
        {words.signIn}
      </Button>
    </Frame>
  );
}

function ByKey({ done, other }: WayIn) {
  const [key, setKey] = useState("");
  const enter = useChange(
    async () => {
      const opened = await environmentOf(key.trim());
      session.hold(opened._id, key.trim());
    },
    { then: done },
  );
  const unknown = enter.error instanceof Refused && enter.error.status === 401;
  return (
    <Frame title={words.signIn} submit={() => enter.mutate()} other={{ label: words.withPassword, go: other }}>
      <PasswordInput
        label={text.keyLabel}
        description={text.keyHelp}
        value={key}
        onChange={(e) => setKey(e.currentTarget.value)}
        error={unknown ? text.keyWrong : null}
        autoComplete="off"
        required
      />
      {enter.error && !unknown && <ChangeFailure error={enter.error} />}
      <Button type="submit" loading={enter.isPending}>
        {words.signIn}
      </Button>
    </Frame>
  );
}

function SetUp({ way, done, other }: WayIn & { way: { codeRequired: boolean; code: string } }) {
  const [given, setGiven] = useState({ email: "", name: "", password: "", code: way.code });
  const make = useChange(() => told(api.POST("/v1/setup", { body: given })), { then: done });
  return (
    <Frame title={words.setUp.title} about={words.setUp.about} submit={() => make.mutate()} other={{ label: words.setUp.later, go: other }}>
      <AccountFields given={given} set={setGiven} error={make.error} email />
      {way.codeRequired && (
        <TextInput
          label={words.setUp.code}
          description={words.setUp.codeHelp}
          value={given.code}
          onChange={(e) => setGiven({ ...given, code: e.currentTarget.value })}
          required
        />
      )}
      {make.error && <ChangeFailure error={make.error} />}
      <Button type="submit" loading={make.isPending}>
        {words.setUp.action}
      </Button>
    </Frame>
  );
}

function Invitation({ token }: { token: string }) {
  const found = useQuery({
    queryKey: ["invitation", token],
    queryFn: () => told(api.POST("/v1/invitations/look-up", { body: { token } })),
    retry: false,
  });
  const [given, setGiven] = useState({ email: "", name: "", password: "" });
  const accept = useChange(() => told(api.POST("/v1/invitations/accept", { body: { token, name: given.name, password: given.password } })), {
    then: () => {
      session.end();
      location.assign("/");
    },
  });
  const gone = found.error instanceof Refused && found.error.status === 404;
  if (gone) {
    return (
      <Frame title={words.invitation.gone} about={words.invitation.goneHelp} submit={() => undefined}>
        <Anchor href="/" size="sm">
          {words.signIn}
        </Anchor>
      </Frame>
    );
  }
  return (
    <Frame
      title={words.invitation.title}
      about={found.data && words.invitation.about(found.data.invitedBy, text.members.roles[found.data.role] ?? found.data.role)}
      submit={() => accept.mutate()}
    >
      <Loaded query={found}>
        {(invitation) => (
          <>
            <TextInput label={words.email} value={invitation.email} readOnly autoComplete="username" />
            <AccountFields given={given} set={setGiven} error={accept.error} />
            {accept.error && <ChangeFailure error={accept.error} />}
            <Button type="submit" loading={accept.isPending}>
              {words.invitation.action}
            </Button>
          </>
        )}
      </Loaded>
    </Frame>
  );
}

interface Account {
  email: string;
  name: string;
  password: string;
}

interface AccountFieldsProps<A extends Account> {
  given: A;
  set: (given: A) => void;
  error: Error | null;
  email?: boolean;
}

function AccountFields<A extends Account>({ given, set, error, email = false }: AccountFieldsProps<A>) {
  const fields = fieldErrors(error);
  return (
    <>
      {email && (
        <TextInput
          label={words.email}
          type="email"
          autoComplete="username"
          value={given.email}
          onChange={(e) => set({ ...given, email: e.currentTarget.value })}
          error={fields["email"]}
          required
        />
      )}
      <TextInput label={words.name} autoComplete="name" value={given.name} onChange={(e) => set({ ...given, name: e.currentTarget.value })} error={fields["name"]} />
      <PasswordInput
        label={words.password}
        description={words.passwordHelp}
        autoComplete="new-password"
        value={given.password}
        onChange={(e) => set({ ...given, password: e.currentTarget.value })}
        error={fields["password"]}
        required
      />
    </>
  );
}
