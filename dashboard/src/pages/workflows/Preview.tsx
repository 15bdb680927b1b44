import { SegmentedControl, Select, Stack, Switch, Text, Title } from "@mantine/core";
import { useState } from "react";
import { ObjectInput } from "../../parts/Json";
import { lookOf, type Device, type Picture } from "../../data/look";
import { DEVICES, PhonePreview } from "../../parts/PhonePreview";
import { Failure } from "../../parts/states";
import { SubscriberSelect } from "../../parts/SubscriberSelect";
import { workflowText } from "../../text/workflows";

const words = workflowText.preview;

/** Whom a preview is for, and with what. */
export interface PreviewData {
  subscriberId: string;
  payload: string;
  /** Instead of the subscriber's own. */
  locale: string;
}

interface PreviewProps {
  data: PreviewData;
  change: (part: Partial<PreviewData>) => void;
  shown: Record<string, unknown> | undefined;
  /** Locales that the workflow has texts in. */
  locales: readonly string[];
  failure: Error | null;
}

/** The push as a device would show it to somebody. */
export function Preview({ data, change, shown, locales, failure }: PreviewProps) {
  const [device, setDevice] = useState<Device>("ios");
  const [whole, setWhole] = useState(false);
  const look = lookOf(device, shown ?? {});
  const elsewhere = ([["image", look.image], ["icon", look.icon]] as const).flatMap(([name, picture]) => (isElsewhere(picture) ? [words.elsewhere(fieldName(name), picture.from)] : []));
  const said = (name: string) => (shown?.[name] === undefined || shown[name] === null ? "" : String(shown[name]));
  return (
    <Stack gap="sm">
      <Title order={2}>{words.title}</Title>
      <SegmentedControl
        aria-label={words.device}
        fullWidth
        value={device}
        onChange={(value) => setDevice(value as Device)}
        data={DEVICES.map((value) => ({ value, label: words.devices[value] ?? value }))}
      />
      {failure && <Failure error={failure} />}
      {!shown && !failure && (
        <Text size="sm" c="dimmed">
          {words.save}
        </Text>
      )}
      {shown && <PhonePreview device={device} title={said("subject")} body={said("body")} look={look} whole={whole} />}
      {elsewhere.map((one) => (
        <Text key={one} size="xs" c="dimmed" style={{ overflowWrap: "anywhere" }}>
          {one}
        </Text>
      ))}
      {said("silent") === "true" && (
        <Text size="sm" c="dimmed">
          {words.silentPush}
        </Text>
      )}
      <Switch label={words.whole} checked={whole} onChange={(e) => setWhole(e.currentTarget.checked)} />
      {locales.length > 0 && (
        <Select
          label={words.locale}
          placeholder={words.ownLocale}
          data={[...locales]}
          value={data.locale || null}
          onChange={(locale) => change({ locale: locale ?? "" })}
          clearable
        />
      )}
      <SubscriberSelect
        label={words.subscriber}
        placeholder={words.sample}
        clearable
        value={data.subscriberId}
        onChange={(subscriberId) => change({ subscriberId })}
      />
      <ObjectInput label={words.payload} value={data.payload} onChange={(payload) => change({ payload })} />
    </Stack>
  );
}

const isElsewhere = (picture: Picture | undefined): picture is { from: string } => picture !== undefined && "from" in picture;

const fieldName = (name: string): string => workflowText.step.fields[name]?.[0] ?? name;
