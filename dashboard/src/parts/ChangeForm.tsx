/** A form that makes one change: its fields, what went wrong, and the button that sends it. */
import { Button, Stack } from "@mantine/core";
import type { UseMutationResult } from "@tanstack/react-query";
import type { FormEvent, ReactNode } from "react";
import { ChangeFailure } from "./states";

interface ChangeFormProps<O> {
  change: UseMutationResult<O, Error, void>;
  /** What the button says. */
  action: string;
  children: ReactNode;
}

export function ChangeForm<O>({ change, action, children }: ChangeFormProps<O>) {
  function submit(event: FormEvent) {
    event.preventDefault();
    change.mutate();
  }
  return (
    <form onSubmit={submit}>
      <Stack>
        {children}
        {change.error && <ChangeFailure error={change.error} />}
        <Button type="submit" loading={change.isPending}>
          {action}
        </Button>
      </Stack>
    </form>
  );
}
