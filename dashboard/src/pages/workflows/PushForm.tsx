import { Accordion, Grid, MultiSelect, NativeSelect, SimpleGrid, Stack, Text } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, told } from "../../data/client";
import type { Overrides } from "../../data/overrides";
import { readObject } from "../../data/payload";
import { previewedStep } from "../../data/steps";
import { samplePayload } from "../../data/samples";
import { TemplateInput } from "../../parts/TemplateInput";
import { text } from "../../text";
import { workflowText } from "../../text/workflows";
import type { Workflow } from "./draft";
import { useTranslations } from "./locales";
import { Preview, type PreviewData } from "./Preview";
import { ProviderOverrides } from "./ProviderOverrides";
import type { FormProps } from "./StepEditor";

const words = workflowText.step;
const LOOKS = Object.entries(words.fields);
const FLAGS = new Set(["silent", "mutable"]);

/** What a push says and how it looks, checked as it is written, beside what a device shows. */
export function PushForm({ workflow, stepId, controls, set, names, errors }: FormProps & { workflow: Workflow; stepId: string | undefined }) {
  const [data, setData] = useState<PreviewData>({ subscriberId: "", locale: "", payload: JSON.stringify(samplePayload(workflow.payloadSchema), null, 2) });
  const locales = useTranslations(workflow).data?.locales ?? [];
  const shown = usePreview(workflow, stepId, controls, data);
  const problems = { ...Object.fromEntries(Object.entries(shown.data?.issues.controls ?? {}).map(([name, found]) => [name, found.map((one) => one.message).join("; ")])), ...errors };
  const said = (name: string) => (controls[name] === undefined ? "" : String(controls[name]));
  return (
    <Grid gap="lg">
      <Grid.Col span={{ base: 12, lg: 7 }}>
        <Stack>
          <TemplateInput label={words.subject} value={said("subject")} onChange={(v) => set("subject", v)} names={names} error={problems["subject"]} />
          <TemplateInput
            label={words.body}
            description={words.variableHelp}
            value={said("body")}
            onChange={(v) => set("body", v)}
            names={names}
            error={problems["body"]}
            minRows={3}
          />
          <Accordion variant="contained" multiple defaultValue={opened(controls, problems)}>
            <Accordion.Item value="look">
              <Accordion.Control>
                <Text size="sm" fw={600}>
                  {words.look}
                </Text>
              </Accordion.Control>
              <Accordion.Panel>
                <Text size="xs" c="dimmed" mb="sm">
                  {words.lookHelp}
                </Text>
                <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="sm">
                  {LOOKS.map(([name, [label, help]]) =>
                    name === "priority" || FLAGS.has(name) ? (
                      <NativeSelect
                        key={name}
                        label={label}
                        description={help}
                        data={choicesOf(name)}
                        value={said(name)}
                        onChange={(e) => set(name, FLAGS.has(name) ? truth(e.currentTarget.value) : e.currentTarget.value)}
                        error={problems[name]}
                      />
                    ) : (
                      <TemplateInput
                        key={name}
                        label={label}
                        description={help}
                        value={said(name)}
                        onChange={(v) => set(name, v)}
                        names={names}
                        error={problems[name]}
                      />
                    ),
                  )}
                </SimpleGrid>
              </Accordion.Panel>
            </Accordion.Item>
            <Accordion.Item value="overrides">
              <Accordion.Control>
                <Text size="sm" fw={600}>
                  {words.overrides.title}
                </Text>
              </Accordion.Control>
              <Accordion.Panel>
                <ProviderOverrides overrides={(controls["providers"] as Overrides | undefined) ?? {}} change={(found) => set("providers", found)} errors={problems} />
              </Accordion.Panel>
            </Accordion.Item>
          </Accordion>
          <Through chosen={(controls["integrations"] as string[] | undefined) ?? []} choose={(found) => set("integrations", found.length > 0 ? found : null)} error={problems["integrations"]} />
          {problems["skip"] && (
            <Text size="sm" c="var(--mantine-color-error)">
              {problems["skip"]}
            </Text>
          )}
        </Stack>
      </Grid.Col>
      <Grid.Col span={{ base: 12, lg: 5 }}>
        <Preview data={data} change={(part) => setData({ ...data, ...part })} shown={shown.data?.result.preview} locales={locales} failure={shown.error} />
      </Grid.Col>
    </Grid>
  );
}

/** The sections that are open at first: those with a problem, and overrides, which nobody expects there. */
function opened(controls: Record<string, unknown>, problems: Record<string, string>): string[] {
  return [...(LOOKS.some(([name]) => problems[name]) ? ["look"] : []), ...(controls["providers"] ? ["overrides"] : [])];
}

/** The integrations that are tried one after the other. */
function Through({ chosen, choose, error }: { chosen: string[]; choose: (identifiers: string[]) => void; error: string | undefined }) {
  const integrations = useQuery({ queryKey: ["integrations"], queryFn: () => told(api.GET("/v1/integrations")), staleTime: 60_000 });
  const known = [...new Set([...(integrations.data ?? []).map((one) => one.identifier), ...chosen])];
  return <MultiSelect label={words.integrations} description={words.integrationsHelp} data={known} value={chosen} onChange={choose} error={error} clearable searchable />;
}

/** What the step would say, asked again as it is written. */
function usePreview(workflow: Workflow, own: string | undefined, controls: Record<string, unknown>, data: PreviewData) {
  const [given] = useDebouncedValue(JSON.stringify([controls, data]), 250);
  const stepId = previewedStep(own, workflow.steps);
  return useQuery({
    queryKey: ["workflow", workflow.workflowId, "preview", stepId, given],
    queryFn: async () => {
      const [controlValues, { subscriberId, payload, locale }] = JSON.parse(given) as [Record<string, unknown>, PreviewData];
      const subscriber = subscriberId ? await told(api.GET("/v2/subscribers/{subscriberId}", { params: { path: { subscriberId } } })) : null;
      const path = { workflowId: workflow.workflowId, stepId: stepId ?? "" };
      const previewPayload = { payload: readObject(payload), subscriber: locale || subscriber ? { ...(subscriber && profileOf(subscriber)), ...(locale && { locale }) } : null };
      return told(api.POST("/v2/workflows/{workflowId}/step/{stepId}/preview", { params: { path }, body: { controlValues, previewPayload } }));
    },
    enabled: stepId !== undefined,
    placeholderData: keepPreviousData,
    staleTime: 60_000,
  });
}

function profileOf(found: Record<string, unknown>): Record<string, unknown> {
  const kept = ["subscriberId", "firstName", "lastName", "email", "phone", "avatar", "locale", "timezone", "data"];
  return Object.fromEntries(kept.filter((name) => found[name] !== undefined && found[name] !== null).map((name) => [name, found[name]]));
}

const truth = (value: string): boolean | string => (value === "true" ? true : value === "false" ? false : value);

function choicesOf(name: string) {
  const named = name === "priority" ? words.priorities : { "": "—", true: text.yes, false: text.no };
  return Object.entries(named).map(([value, label]) => ({ value, label }));
}
