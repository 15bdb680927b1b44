/** Asks before something is lost, and says what will be. */
import { Button, Group, Modal, Stack, Text } from "@mantine/core";
import type { UseMutationResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { text } from "../text";
import { Failure } from "./states";

interface ConfirmProps {
  opened: boolean;
  close: () => void;
  title: string;
  /** What will be lost. */
  loses: ReactNode;
  action: string;
  change: UseMutationResult<unknown, Error, void>;
}

export function Confirm({ opened, close, title, loses, action, change }: ConfirmProps) {
  return (
    <Modal opened={opened} onClose={close} title={title} closeButtonProps={{ "aria-label": text.close }}>
      <Stack>
        <Text size="sm">{loses}</Text>
        {change.error && <Failure error={change.error} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={close} data-autofocus>
            {text.cancel}
          </Button>
          <Button color="red" loading={change.isPending} onClick={() => change.mutate(undefined, { onSuccess: close })}>
            {action}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
