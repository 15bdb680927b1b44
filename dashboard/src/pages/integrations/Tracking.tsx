import { Card, Stack, Text } from "@mantine/core";
import { useChange } from "../../data/change";
import { api, told } from "../../data/client";
import { idLines } from "../../data/tracking";
import { Switch } from "../../parts/acts";
import { ChangeFailure } from "../../parts/states";
import { text } from "../../text";
import { Callback } from "./Callback";
import type { Integration } from "./Detail";
import { Links } from "./Links";
import { ToPaste } from "./ToPaste";

const words = text.integrations;
const SWITCH = "inboundWebhookEnabled";

/** Whether each push carries its id, and where an app reports what became of it. */
export function Tracking({ one }: { one: Integration }) {
  const path = { integrationId: one._id };
  const on = one.configurations[SWITCH] === true;
  const turn = useChange(
    (track: boolean) =>
      told(api.PUT("/v1/integrations/{integrationId}", { params: { path }, body: { configurations: { ...one.configurations, [SWITCH]: track } } })),
    { stale: ["integrations"], said: text.saved },
  );
  const address = `${location.origin}/v2/inbound-webhooks/delivery-providers/${one._environmentId}/${one._id}`;
  return (
    <Stack>
      <Card maw={860}>
        <Stack>
          <Text size="sm" c="dimmed">
            {words.trackingHelp}
          </Text>
          <Switch needs="admin" label={words.tracking} checked={on} onChange={(e) => turn.mutate(e.currentTarget.checked)} disabled={turn.isPending} />
          {turn.error && <ChangeFailure error={turn.error} />}
          {on && (
            <>
              <Text size="sm">{words.trackingIs}</Text>
              <ToPaste label={words.trackingAddress} value={idLines(address)} />
              <Links />
            </>
          )}
        </Stack>
      </Card>
      <Callback one={one} address={address} />
    </Stack>
  );
}
