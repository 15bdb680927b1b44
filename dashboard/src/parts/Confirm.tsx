/** Asks before something is lost, and says what will be. */
import { Button, Group, Modal, Stack, Text } from "@mantine/core";
import type { UseMutationResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { text } from "../text";
import { ChangeFailure } from "./states";

interface Question {
  opened: boolean;
  close: () => void;
  title: string;
  /** What will be lost. */
  loses: ReactNode;
  action: string;
}

interface AskProps extends Question {
  act: () => void;
  acting?: boolean;
  error?: Error | null;
  /** What the way back is called. */
  back?: string;
}

/** Asks before something is done at once. */
export function Ask({ opened, close, title, loses, action, act, acting = false, error = null, back = text.cancel }: AskProps) {
  return (
    <Modal opened={opened} onClose={close} title={title} closeButtonProps={{ "aria-label": text.close }}>
      <Stack>
        <Text size="sm">{loses}</Text>
        {error && <ChangeFailure error={error} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={close} data-autofocus>
            {back}
          </Button>
          <Button color="red" loading={acting} onClick={act}>
            {action}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}

/** Asks before a change is sent, and stays open while it is and where it is refused. */
export function Confirm({ change, ...question }: Question & { change: UseMutationResult<unknown, Error, void> }) {
  const act = () => change.mutate(undefined, { onSuccess: question.close });
  return <Ask {...question} act={act} acting={change.isPending} error={change.error} />;
}
