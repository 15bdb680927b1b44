import { Alert, Code, Group, Modal, Stack, Table, Text } from "@mantine/core";
import { IconPlus, IconWebhook } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useChange } from "../../data/change";
import { api, told } from "../../data/client";
import { Button } from "../../parts/acts";
import { Copy } from "../../parts/Copy";
import { ButtonLink, TextLink } from "../../parts/links";
import { Listing } from "../../parts/ListControls";
import { Empty, Heading, Loaded } from "../../parts/states";
import { Status } from "../../parts/Status";
import { When } from "../../parts/When";
import { text } from "../../text";
import { EndpointForm, type Endpoint } from "./EndpointForm";

const words = text.webhooks;

export function Webhooks() {
  const [adding, setAdding] = useState(false);
  const endpoints = useQuery({ queryKey: ["webhooks"], queryFn: () => told(api.GET("/v1/webhooks")) });
  return (
    <>
      <Heading title={words.title} about={words.about}>
        <Button needs="admin" leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setAdding(true)}>
          {words.add}
        </Button>
      </Heading>
      <Loaded query={endpoints}>
        {(found) =>
          found.length === 0 ? (
            <Empty icon={IconWebhook} title={words.empty} help={words.emptyHelp} />
          ) : (
            <Listing label={words.title} columns={[words.url, words.events, words.status, words.happened]}>
              {found.map((one) => (
                <Table.Tr key={one._id}>
                  <Table.Td maw={360} miw={220}>
                    <TextLink to="/webhooks/$webhookId" params={{ webhookId: one._id }} fw={600} size="sm" style={{ overflowWrap: "anywhere" }}>
                      {one.url}
                    </TextLink>
                    <Text size="xs" c="dimmed">
                      {one.description}
                    </Text>
                  </Table.Td>
                  <Table.Td>
                    <Text size="sm">{one.events.length === 0 ? words.allEvents : one.events.join(", ")}</Text>
                  </Table.Td>
                  <Table.Td>
                    <Status status={one.active ? "active" : "inactive"} label={one.active ? words.active : (words.off[one.disabledReason] ?? text.off)} />
                  </Table.Td>
                  <Table.Td style={{ whiteSpace: "nowrap" }}>
                    <When at={one.createdAt} />
                  </Table.Td>
                </Table.Tr>
              ))}
            </Listing>
          )
        }
      </Loaded>
      <Modal opened={adding} onClose={() => setAdding(false)} title={words.add} size="lg" closeButtonProps={{ "aria-label": text.close }}>
        <NewEndpoint />
      </Modal>
    </>
  );
}

function NewEndpoint() {
  const create = useChange((body: Endpoint) => told(api.POST("/v1/webhooks", { body })), { stale: ["webhooks"] });
  if (create.data) {
    return (
      <Stack>
        <Secret secret={create.data.secret} />
        <ButtonLink to="/webhooks/$webhookId" params={{ webhookId: create.data._id }}>
          {words.tabs.deliveries}
        </ButtonLink>
      </Stack>
    );
  }
  const first = { url: "", events: [], description: "", headers: {}, active: true, concurrency: 1, rateLimit: null };
  return <EndpointForm first={first} change={create} action={text.create} />;
}

/** A secret that is shown this once. */
export function Secret({ secret }: { secret: string }) {
  return (
    <Alert color="teal" title={words.secret} role="status">
      <Text size="sm" mb="xs">
        {words.secretOnce}
      </Text>
      <Group gap="xs" wrap="nowrap">
        <Code style={{ overflowWrap: "anywhere" }}>{secret}</Code>
        <Copy value={secret} />
      </Group>
    </Alert>
  );
}
