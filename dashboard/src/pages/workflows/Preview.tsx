import { SegmentedControl, Stack, Switch, Text, Title } from "@mantine/core";
import { useState } from "react";
import { ObjectInput } from "../../parts/Json";
import { DEVICES, PhonePreview, type Device } from "../../parts/PhonePreview";
import { Failure } from "../../parts/states";
import { SubscriberSelect } from "../../parts/SubscriberSelect";
import { text } from "../../text";

const words = text.workflows.preview;

/** Whom a preview is for, and with what. */
export interface PreviewData {
  subscriberId: string;
  payload: string;
}

interface PreviewProps {
  data: PreviewData;
  change: (part: Partial<PreviewData>) => void;
  shown: Record<string, unknown> | undefined;
  failure: Error | null;
}

/** The push as a device would show it to somebody. */
export function Preview({ data, change, shown, failure }: PreviewProps) {
  const [device, setDevice] = useState<Device>("ios");
  const [whole, setWhole] = useState(false);
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
      {shown && <PhonePreview device={device} title={said("subject")} body={said("body")} whole={whole} />}
      {said("silent") === "true" && (
        <Text size="sm" c="dimmed">
          {words.silentPush}
        </Text>
      )}
      <Switch label={words.whole} checked={whole} onChange={(e) => setWhole(e.currentTarget.checked)} />
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
