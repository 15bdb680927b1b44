/** The states every page has in common. */
import { Alert, Button, Center, Group, Skeleton, Stack, Text, ThemeIcon, Title } from "@mantine/core";
import { IconAlertTriangle, IconLock, type Icon } from "@tabler/icons-react";
import type { UseQueryResult } from "@tanstack/react-query";
import { useDeferredValue, useEffect, useMemo, type ReactNode } from "react";
import { Refused } from "../data/client";
import { text } from "../text";
import { When } from "./When";

interface HeadingProps {
  title: string;
  about?: string;
  above?: ReactNode;
  children?: ReactNode;
}

/** A page's heading with one sentence about it; actions stand beside it. */
export function Heading({ title, about, above, children }: HeadingProps) {
  useEffect(() => {
    document.title = `${title} · ${text.product}`;
  }, [title]);
  return (
    <Stack gap={4} mb="lg">
      {above}
      <Group justify="space-between" align="flex-start" gap="sm">
        <Title order={1}>{title}</Title>
        {children && <Group gap="xs">{children}</Group>}
      </Group>
      {about && (
        <Text c="dimmed" maw="42rem" style={{ textWrap: "pretty" }}>
          {about}
        </Text>
      )}
    </Stack>
  );
}

interface EmptyProps {
  title: string;
  help: string;
  icon?: Icon;
  children?: ReactNode;
}

/** An empty state that says what to do. */
export function Empty({ title, help, icon: Shown, children }: EmptyProps) {
  return (
    <Center py={56} px="md">
      <Stack gap="xs" align="center" maw={460}>
        {Shown && (
          <ThemeIcon variant="light" size={48} radius="xl" color="gray" aria-hidden>
            <Shown size={24} stroke={1.6} />
          </ThemeIcon>
        )}
        <Text fw={600} ta="center">
          {title}
        </Text>
        <Text c="dimmed" ta="center" size="sm">
          {help}
        </Text>
        {children}
      </Stack>
    </Center>
  );
}

interface FailureProps {
  error: Error;
  retry?: () => void;
  title?: string;
  forbidden?: string;
}

/** What couldn't be loaded, in the API's words; what somebody may not see is no error. */
export function Failure({ error, retry, title = text.failed, forbidden = text.forbidden }: FailureProps) {
  const denied = error instanceof Refused && error.status === 403;
  return (
    <Alert
      color={denied ? "gray" : "red"}
      title={denied ? forbidden : title}
      icon={denied ? <IconLock size={18} /> : <IconAlertTriangle size={18} />}
      role="alert"
    >
      <Stack gap="sm" align="flex-start">
        <Text size="sm">{error.message}</Text>
        {retry && !denied && (
          <Button size="xs" variant="default" onClick={retry}>
            {text.again}
          </Button>
        )}
      </Stack>
    </Alert>
  );
}

/** What somebody asked for and didn't get. */
export function ChangeFailure({ error }: { error: Error }) {
  return <Failure error={error} title={text.notDone} forbidden={text.mayNot} />;
}

/** Loading, error or the data. What was loaded before stays while it is asked for again. The data comes a frame later than what
 * is around it, in pieces: what somebody presses is answered before a long list is made. */
export function Loaded<T>({ query, children }: { query: UseQueryResult<T>; children: (data: T) => ReactNode }) {
  const drawn = useDeferredValue<{ data: T | undefined } | null>(useMemo(() => ({ data: query.data }), [query.data]), null);
  if (query.data === undefined && query.error) return <Failure error={query.error} retry={() => void query.refetch()} />;
  if (query.data === undefined || drawn?.data === undefined) return <Waiting />;
  return (
    <>
      {query.error && <Outdated query={query} />}
      {children(drawn.data)}
    </>
  );
}

/** What is shown was loaded before, and couldn't be since. */
function Outdated({ query: { error, dataUpdatedAt, refetch, isFetching } }: { query: UseQueryResult }) {
  return (
    <Alert color="yellow" mb="sm" title={text.outdated} icon={<IconAlertTriangle size={18} />} role="status">
      <Group gap="sm" justify="space-between">
        <Text size="sm" component="div">
          {error?.message} {text.shownIsOf} <When at={new Date(dataUpdatedAt).toISOString()} />
        </Text>
        <Button size="xs" variant="default" loading={isFetching} onClick={() => void refetch()}>
          {text.again}
        </Button>
      </Group>
    </Alert>
  );
}

/** Something is loaded. */
export function Waiting() {
  return (
    <Stack gap="sm" role="status" aria-label={text.loading}>
      <Skeleton height={18} width="40%" />
      <Skeleton height={56} />
      <Skeleton height={56} />
      <Skeleton height={56} />
    </Stack>
  );
}
