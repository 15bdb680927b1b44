import { ActionIcon, Card, Group, Stack, Switch, Text, TextInput } from "@mantine/core";
import { IconPlus, IconX } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useChange } from "../../data/change";
import { api, told, type Schemas } from "../../data/client";
import { fromField, toField } from "../../data/schedule";
import { useUnsaved } from "../../data/unsaved";
import { Button } from "../../parts/acts";
import { Leaving } from "../../parts/Leaving";
import { ChangeFailure, Loaded } from "../../parts/states";
import { text } from "../../text";

const words = text.subscribers.schedule;
const DAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] as const;
type Weekly = NonNullable<Schemas["Schedule"]["weeklySchedule"]>;
type Range = Schemas["TimeRange"];
const WORKDAY: Range = { start: "09:00 AM", end: "05:00 PM" };

interface ScheduleProps {
  subscriberId: string;
  timezone: string | null;
}

/** When a subscriber may be disturbed. */
export function Schedule({ subscriberId, timezone }: ScheduleProps) {
  const preferences = useQuery({
    queryKey: ["preferences", subscriberId],
    queryFn: () => told(api.GET("/v2/subscribers/{subscriberId}/preferences", { params: { path: { subscriberId }, query: { criticality: "all" } } })),
  });
  return (
    <Loaded query={preferences}>
      {(found) => <Week subscriberId={subscriberId} timezone={timezone} first={(found.global.schedule ?? { isEnabled: false }) as Schemas["Schedule"]} />}
    </Loaded>
  );
}

function Week({ subscriberId, timezone, first }: ScheduleProps & { first: Schemas["Schedule"] }) {
  const [enabled, setEnabled] = useState(first.isEnabled);
  const [week, setWeek] = useState<Weekly>(first.weeklySchedule ?? {});
  const { changed, now, keep } = useUnsaved({ enabled, week });
  const save = useChange(
    async () => {
      const schedule: Schemas["Schedule"] = { isEnabled: enabled, weeklySchedule: week };
      await told(api.PATCH("/v2/subscribers/{subscriberId}/preferences", { params: { path: { subscriberId } }, body: { schedule } }));
      keep(now);
    },
    { stale: ["preferences"], said: text.saved },
  );
  return (
    <Card maw={680}>
      <Leaving changed={changed} loses={text.unsaved.form} />
      <Stack>
        <Text c="dimmed" size="sm">
          {words.about} {timezone ? words.zone(timezone) : words.noZone}
        </Text>
        <Switch label={words.enabled} checked={enabled} onChange={(e) => setEnabled(e.currentTarget.checked)} />
        {enabled &&
          DAYS.map((day) => (
            <Day
              key={day}
              name={words.days[day] ?? day}
              hours={week[day]?.isEnabled ? (week[day]?.hours ?? []) : []}
              set={(hours) => setWeek({ ...week, [day]: { isEnabled: hours.length > 0, hours } })}
            />
          ))}
        {save.error && <ChangeFailure error={save.error} />}
        <Button needs="editor" onClick={() => save.mutate()} loading={save.isPending} style={{ alignSelf: "flex-start" }}>
          {text.save}
        </Button>
      </Stack>
    </Card>
  );
}

function Day({ name, hours, set }: { name: string; hours: Range[]; set: (hours: Range[]) => void }) {
  const put = (at: number, part: Partial<Range>) => set(hours.map((one, place) => (place === at ? { ...one, ...part } : one)));
  return (
    <Group align="flex-start" gap="sm" wrap="nowrap">
      <Text w={92} pt={7} size="sm" fw={500}>
        {name}
      </Text>
      <Stack gap="xs">
        {hours.length === 0 && (
          <Text size="sm" c="dimmed" pt={7}>
            {words.closed}
          </Text>
        )}
        {hours.map((one, at) => (
          <Group key={at} gap="xs" wrap="nowrap">
            <TextInput type="time" aria-label={words.from(name)} value={toField(one.start)} onChange={(e) => put(at, { start: fromField(e.currentTarget.value) })} />
            <Text size="sm">–</Text>
            <TextInput type="time" aria-label={words.to(name)} value={toField(one.end)} onChange={(e) => put(at, { end: fromField(e.currentTarget.value) })} />
            <ActionIcon variant="subtle" color="gray" aria-label={words.removeHours(name)} onClick={() => set(hours.filter((_, place) => place !== at))}>
              <IconX size={16} />
            </ActionIcon>
          </Group>
        ))}
      </Stack>
      <ActionIcon variant="default" size={36} aria-label={words.addHours(name)} onClick={() => set([...hours, WORKDAY])}>
        <IconPlus size={16} />
      </ActionIcon>
    </Group>
  );
}
