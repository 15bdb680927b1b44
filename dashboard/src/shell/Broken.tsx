/** What is shown in place of a page that broke, or isn't there. */
import { Code, Stack } from "@mantine/core";
import { IconBug, IconMapOff } from "@tabler/icons-react";
import { ButtonLink } from "../parts/links";
import { Empty } from "../parts/states";
import { text } from "../text";

const words = text.crash;

export function Broken({ error }: { error: unknown }) {
  return (
    <Empty title={words.title} help={words.help} icon={IconBug}>
      <Stack align="center" gap="sm">
        <Code>{error instanceof Error ? error.message : String(error)}</Code>
        <Home />
      </Stack>
    </Empty>
  );
}

export function Missing() {
  return (
    <Empty title={words.missing} help={words.missingHelp} icon={IconMapOff}>
      <Home />
    </Empty>
  );
}

function Home() {
  return (
    <ButtonLink to="/" variant="default" size="xs">
      {words.home}
    </ButtonLink>
  );
}
