import { Badge, Card, Group, NavLink, Stack, Text, TextInput, Grid } from "@mantine/core";
import { IconLanguage } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { useChange } from "../../data/change";
import { api, done, fieldErrors, told } from "../../data/client";
import { readObject } from "../../data/payload";
import { Button } from "../../parts/acts";
import { Ask, Confirm } from "../../parts/Confirm";
import { ObjectInput } from "../../parts/Json";
import { Leaving } from "../../parts/Leaving";
import { ChangeFailure, Empty, Loaded } from "../../parts/states";
import { text } from "../../text";
import { workflowText } from "../../text/workflows";
import type { Workflow } from "./draft";
import { useTranslations } from "./locales";

const words = workflowText.translations;
const RESOURCE = "workflow" as const;

/** The texts of a workflow, locale by locale. */
export function Translations({ workflow }: { workflow: Workflow }) {
  const resourceId = workflow.workflowId;
  const group = useTranslations(workflow);
  const [chosen, setChosen] = useState<string | null>(null);
  const [written, write] = useState<string | null>(null);
  const [wanted, want] = useState<string | null>(null);
  if (!workflow.isTranslationEnabled) return <Empty icon={IconLanguage} title={words.off} help={words.offHelp} />;
  return (
    <Loaded query={group}>
      {(found) => {
        const locales = [...new Set([...(found?.locales ?? []), ...(chosen ? [chosen] : [])])];
        const shown = chosen ?? locales[0];
        const go = (to: string | null) => {
          write(null);
          setChosen(to);
          want(null);
        };
        const choose = (to: string) => (to !== shown && written !== null ? want(to) : go(to));
        return (
          <Grid gap="lg">
            <Leaving changed={written !== null} loses={words.losing(shown ?? "")} />
            <Ask
              opened={wanted !== null}
              close={() => want(null)}
              title={words.leaving(shown ?? "")}
              loses={words.losing(shown ?? "")}
              action={words.drop}
              act={() => go(wanted)}
            />
            <Grid.Col span={{ base: 12, sm: 4, md: 3 }}>
              <Card>
                <Stack gap={4}>
                  {locales.length === 0 && (
                    <Text size="sm" c="dimmed">
                      {words.emptyHelp}
                    </Text>
                  )}
                  {locales.map((locale) => (
                    <NavLink
                      key={locale}
                      component="button"
                      label={locale}
                      active={locale === shown}
                      onClick={() => choose(locale)}
                      rightSection={found?.outdatedLocales?.includes(locale) ? <Badge color="yellow">!</Badge> : null}
                      description={found?.outdatedLocales?.includes(locale) ? words.outdated : undefined}
                    />
                  ))}
                  <AddLocale add={choose} />
                </Stack>
              </Card>
            </Grid.Col>
            <Grid.Col span={{ base: 12, sm: 8, md: 9 }}>
              {shown ? (
                <Locale
                  key={shown}
                  resourceId={resourceId}
                  locale={shown}
                  saved={found?.locales.includes(shown) ?? false}
                  removed={() => go(null)}
                  written={written}
                  write={write}
                />
              ) : (
                <Empty icon={IconLanguage} title={words.empty} help={words.emptyHelp} />
              )}
            </Grid.Col>
          </Grid>
        );
      }}
    </Loaded>
  );
}

function AddLocale({ add }: { add: (locale: string) => void }) {
  const [locale, setLocale] = useState("");
  function submit(event: FormEvent) {
    event.preventDefault();
    if (locale.trim()) add(locale.trim());
    setLocale("");
  }
  return (
    <form onSubmit={submit}>
      <Stack gap="xs" mt="xs">
        <TextInput label={words.add} placeholder="de_DE" value={locale} onChange={(e) => setLocale(e.currentTarget.value)} />
        <Button needs="editor" type="submit" variant="default" size="xs" disabled={!locale.trim()}>
          {text.add}
        </Button>
      </Stack>
    </form>
  );
}

interface LocaleProps {
  resourceId: string;
  locale: string;
  saved: boolean;
  removed: () => void;
  /** What is written and not saved; null where that is nothing. */
  written: string | null;
  write: (written: string | null) => void;
}

function Locale({ resourceId, locale, saved, ...writing }: LocaleProps) {
  const path = { resourceType: RESOURCE, resourceId, locale };
  const content = useQuery({
    queryKey: ["translation", resourceId, locale],
    queryFn: () => told(api.GET("/v2/translations/{resourceType}/{resourceId}/{locale}", { params: { path } })),
    enabled: saved,
  });
  if (!saved) return <Content path={path} first={{}} saved={false} {...writing} />;
  return <Loaded query={content}>{(found) => <Content path={path} first={found.content} saved {...writing} />}</Loaded>;
}

interface ContentProps extends Omit<LocaleProps, "resourceId" | "locale"> {
  path: { resourceType: "workflow"; resourceId: string; locale: string };
  first: Record<string, unknown>;
}

function Content({ path, first, saved, removed, written, write }: ContentProps) {
  const [asking, setAsking] = useState(false);
  const original = JSON.stringify(first, null, 2);
  const shown = written ?? original;
  const read = readObject(shown);
  const save = useChange(() => told(api.POST("/v2/translations", { body: { ...path, content: read ?? {} } })), {
    stale: ["translations", "translation"],
    said: text.saved,
    then: () => write(null),
  });
  const remove = useChange(() => done(api.DELETE("/v2/translations/{resourceType}/{resourceId}/{locale}", { params: { path } })), {
    stale: ["translations"],
    then: removed,
  });
  return (
    <Card>
      <Stack>
        <ObjectInput
          label={`${words.content} · ${path.locale}`}
          description={words.contentHelp}
          value={shown}
          onChange={(now) => write(now === original ? null : now)}
          minRows={8}
          error={fieldErrors(save.error)["content"]}
        />
        {save.error && <ChangeFailure error={save.error} />}
        <Group justify="space-between">
          <Button needs="editor" disabled={!read} loading={save.isPending} onClick={() => save.mutate()}>
            {text.save}
          </Button>
          {saved && (
            <Button needs="editor" variant="subtle" color="red" onClick={() => setAsking(true)}>
              {text.remove}
            </Button>
          )}
        </Group>
      </Stack>
      <Confirm opened={asking} close={() => setAsking(false)} title={words.removing(path.locale)} loses={words.loses} action={text.remove} change={remove} />
    </Card>
  );
}
