import { MultiSelect, NumberInput, Stack, Switch, TextInput } from "@mantine/core";
import type { UseMutationResult } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { fieldErrors } from "../../data/client";
import { readObject } from "../../data/payload";
import { Button } from "../../parts/acts";
import { ObjectInput } from "../../parts/Json";
import { ChangeFailure } from "../../parts/states";
import { text } from "../../text";

const words = text.webhooks;

export interface Endpoint {
  url: string;
  events: string[];
  description: string;
  headers: Record<string, string>;
  active: boolean;
  concurrency: number;
  rateLimit: number | null;
}

interface EndpointFormProps {
  first: Endpoint;
  change: UseMutationResult<unknown, Error, Endpoint>;
  action: string;
}

/** Everything that is set on an endpoint. */
export function EndpointForm({ first, change, action }: EndpointFormProps) {
  const [given, setGiven] = useState(first);
  const [headers, setHeaders] = useState(Object.keys(first.headers).length === 0 ? "" : JSON.stringify(first.headers, null, 2));
  const set = (part: Partial<Endpoint>) => setGiven({ ...given, ...part });
  const read = headers.trim() === "" ? {} : readObject(headers);
  const fields = fieldErrors(change.error);
  function submit(event: FormEvent) {
    event.preventDefault();
    change.mutate({ ...given, headers: (read ?? {}) as Record<string, string> });
  }
  return (
    <form onSubmit={submit}>
      <Stack>
        <TextInput label={words.url} description={words.urlHelp} type="url" value={given.url} onChange={(e) => set({ url: e.currentTarget.value })} error={fields["url"]} required data-autofocus />
        <MultiSelect
          label={words.events}
          description={words.eventsHelp}
          data={Object.entries(words.catalogue).map(([value, about]) => ({ value, label: `${value}: ${about}` }))}
          value={given.events}
          onChange={(events) => set({ events })}
          error={fields["events"]}
          searchable
          clearable
        />
        <TextInput label={words.description} value={given.description} onChange={(e) => set({ description: e.currentTarget.value })} error={fields["description"]} />
        <NumberInput
          label={words.concurrency}
          description={words.concurrencyHelp}
          min={1}
          max={100}
          value={given.concurrency}
          onChange={(v) => set({ concurrency: Number(v) || 1 })}
          error={fields["concurrency"]}
        />
        <NumberInput
          label={words.rateLimit}
          description={words.rateLimitHelp}
          min={1}
          max={10000}
          allowDecimal={false}
          value={given.rateLimit ?? ""}
          onChange={(v) => set({ rateLimit: v === "" ? null : Number(v) })}
          error={fields["rateLimit"]}
        />
        <ObjectInput label={words.headers} description={words.headersHelp} value={headers} onChange={setHeaders} error={fields["headers"]} />
        <Switch label={words.active} checked={given.active} onChange={(e) => set({ active: e.currentTarget.checked })} />
        {change.error && <ChangeFailure error={change.error} />}
        <Button needs="admin" type="submit" loading={change.isPending} disabled={read === null}>
          {action}
        </Button>
      </Stack>
    </form>
  );
}
