import { Stack, MultiSelect } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, told } from "../../data/client";
import { withWritten, writtenOf, type Overrides } from "../../data/overrides";
import { ObjectInput } from "../../parts/Json";
import { workflowText } from "../../text/workflows";

const words = workflowText.step.overrides;
const EXAMPLES: Record<string, string> = words.examples;

interface ProviderOverridesProps {
  overrides: Overrides;
  change: (overrides: Overrides | null) => void;
  errors: Record<string, string>;
}

/** What a push says to one provider in its own words, in place of what all are told. */
export function ProviderOverrides({ overrides, change, errors }: ProviderOverridesProps) {
  const providers = useQuery({ queryKey: ["providers"], queryFn: () => told(api.GET("/v1/providers")), staleTime: Infinity });
  const [chosen, setChosen] = useState(() => Object.keys(overrides));
  function choose(found: string[]) {
    setChosen(found);
    const kept = Object.entries(overrides).filter(([provider]) => found.includes(provider));
    if (kept.length < Object.keys(overrides).length) change(kept.length > 0 ? Object.fromEntries(kept) : null);
  }
  return (
    <Stack gap="sm">
      <MultiSelect
        label={words.providers}
        description={words.help}
        data={(providers.data ?? []).map((one) => ({ value: one.id, label: one.name }))}
        value={chosen}
        onChange={choose}
        error={errors["providers"]}
        searchable
      />
      {writtenOf(overrides, chosen).map(([provider, written]) => (
        <Written
          key={provider}
          provider={provider}
          label={providers.data?.find((one) => one.id === provider)?.name ?? provider}
          written={written}
          error={errors[`providers.${provider}`] ?? errors[`providers.${provider}._passthrough`]}
          change={(found) => change(withWritten(overrides, provider, found))}
        />
      ))}
    </Stack>
  );
}

interface WrittenProps {
  provider: string;
  label: string;
  written: string;
  error: string | undefined;
  change: (written: string) => void;
}

/** Holds what is being written, which is no object at every keystroke. */
function Written({ provider, label, written, error, change }: WrittenProps) {
  const [draft, setDraft] = useState(written);
  return (
    <ObjectInput
      label={label}
      placeholder={EXAMPLES[provider] ?? ""}
      value={draft}
      onChange={(found) => {
        setDraft(found);
        change(found);
      }}
      error={error}
    />
  );
}
