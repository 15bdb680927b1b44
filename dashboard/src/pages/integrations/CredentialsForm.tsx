import { Checkbox, FileButton, Group, NativeSelect, PasswordInput, Stack, Text, Textarea, TextInput } from "@mantine/core";
import { IconUpload } from "@tabler/icons-react";
import type { UseMutationResult } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { fieldErrors, type Schemas } from "../../data/client";
import { readText } from "../../data/files";
import { useUnsaved } from "../../data/unsaved";
import { Button } from "../../parts/acts";
import { Leaving } from "../../parts/Leaving";
import { ChangeFailure } from "../../parts/states";
import { text } from "../../text";

const words = text.integrations;
type Provider = Schemas["ProviderOut"];
type Field = Schemas["FieldOut"];

export interface Given {
  name: string;
  identifier: string;
  credentials: Record<string, unknown>;
}

interface CredentialsFormProps {
  provider: Provider;
  first: Given;
  change: UseMutationResult<unknown, Error, Given>;
  action: string;
  /** Whether to ask before what isn't saved is left. */
  guarded?: boolean;
  /** Said above the credentials. */
  note?: string;
}

/** The form that a provider's credentials ask for; it keeps what was written when the API refuses it. */
export function CredentialsForm({ provider, first, change, action, note, guarded = false }: CredentialsFormProps) {
  const [given, setGiven] = useState(first);
  const { changed, now, keep } = useUnsaved(given);
  const fields = fieldErrors(change.error);
  function submit(event: FormEvent) {
    event.preventDefault();
    const credentials = Object.fromEntries(Object.entries(given.credentials).filter(([, value]) => value !== ""));
    change.mutate({ ...given, credentials }, { onSuccess: () => keep(now) });
  }
  return (
    <form onSubmit={submit}>
      {guarded && <Leaving changed={changed} loses={text.unsaved.form} />}
      <Stack>
        <TextInput label={words.name} value={given.name} onChange={(e) => setGiven({ ...given, name: e.currentTarget.value })} error={fields["name"]} required />
        <TextInput
          label={words.identifier}
          description={words.identifierHelp}
          value={given.identifier}
          onChange={(e) => setGiven({ ...given, identifier: e.currentTarget.value })}
          error={fields["identifier"]}
        />
        {note && (
          <Text size="sm" c="dimmed">
            {note}
          </Text>
        )}
        {provider.fields.map((field) => (
          <Credential
            key={field.key}
            field={field}
            error={fields[field.key]}
            value={given.credentials[field.key]}
            change={(value) => setGiven((now) => ({ ...now, credentials: { ...now.credentials, [field.key]: value } }))}
          />
        ))}
        {change.error && <ChangeFailure error={change.error} />}
        <Button needs="admin" type="submit" loading={change.isPending}>
          {action}
        </Button>
      </Stack>
    </form>
  );
}

interface CredentialProps {
  field: Field;
  value: unknown;
  error: string | undefined;
  change: (value: string | boolean) => void;
}

function Credential({ field, value, error, change }: CredentialProps) {
  const common = { label: field.label, description: field.help, error, required: field.required };
  const typed = { ...common, value: typeof value === "string" ? value : "", placeholder: field.example };
  if (field.kind === "boolean") {
    const { required: _, ...rest } = common;
    return <Checkbox {...rest} checked={value === true} onChange={(e) => change(e.currentTarget.checked)} />;
  }
  if (field.kind === "choice") {
    return <NativeSelect {...typed} data={["", ...(field.choices ?? [])]} onChange={(e) => change(e.currentTarget.value)} />;
  }
  if (field.kind === "file") {
    return (
      <div>
        <Textarea {...typed} placeholder={words.pasteFile} minRows={3} autosize maxRows={8} spellCheck={false} onChange={(e) => change(e.currentTarget.value)} />
        <Group mt={6} gap="xs">
          <FileButton onChange={(file) => file && void readText(file).then(change)}>
            {(props) => (
              <Button {...props} size="compact-sm" variant="default" leftSection={<IconUpload size={14} aria-hidden />} aria-label={`${words.chooseFile}: ${field.label}`}>
                {words.chooseFile}
              </Button>
            )}
          </FileButton>
        </Group>
      </div>
    );
  }
  if (field.kind === "secret") return <PasswordInput {...typed} autoComplete="off" onChange={(e) => change(e.currentTarget.value)} />;
  return <TextInput {...typed} onChange={(e) => change(e.currentTarget.value)} />;
}
