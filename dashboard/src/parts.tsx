/** The states every page has in common. */
import { Alert, Button, Center, Loader, Stack, Text, Title, Tooltip } from "@mantine/core";
import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { text } from "./text";

/** A page's heading with one sentence about it. */
export function Heading({ title, about }: { title: string; about: string }) {
  return (
    <Stack gap={4} mb="lg">
      <Title order={1} size="h2">
        {title}
      </Title>
      <Text c="dimmed">{about}</Text>
    </Stack>
  );
}

/** An empty state that says what to do. */
export function Empty({ title, help }: { title: string; help: string }) {
  return (
    <Center py={64}>
      <Stack gap={4} align="center">
        <Text fw={600}>{title}</Text>
        <Text c="dimmed" ta="center">
          {help}
        </Text>
      </Stack>
    </Center>
  );
}

/** An error in the API's words. */
export function Failure({ error, retry }: { error: Error; retry?: () => void }) {
  return (
    <Alert color="red" title={text.failed} role="alert">
      <Stack gap="sm" align="flex-start">
        <Text size="sm">{error.message}</Text>
        {retry && (
          <Button size="xs" variant="default" onClick={retry}>
            {text.again}
          </Button>
        )}
      </Stack>
    </Alert>
  );
}

/** Loading, error or the data. What was loaded before stays while it is asked for again. */
export function Loaded<T>({ query, children }: { query: UseQueryResult<T>; children: (data: T) => ReactNode }) {
  if (query.data !== undefined) return <>{children(query.data)}</>;
  if (query.error) return <Failure error={query.error} retry={() => void query.refetch()} />;
  return (
    <Center py={64}>
      <Loader size="sm" aria-label="Loading" />
    </Center>
  );
}

/** A time in the viewer's zone; the exact instant on hover. */
export function When({ at }: { at: string }) {
  const time = new Date(at);
  return (
    <Tooltip label={at}>
      <time dateTime={at}>{time.toLocaleString()}</time>
    </Tooltip>
  );
}
