import { Code, Stack, Table, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { api, told } from "../../data/client";
import { limitOf } from "../../data/limits";
import { Listing } from "../../parts/ListControls";
import { Loaded } from "../../parts/states";
import { text } from "../../text";

const words = text.settings.limits;

/** What is in force, and the setting of the server that changes it. */
export function Limits() {
  const limits = useQuery({ queryKey: ["limits"], queryFn: () => told(api.GET("/v1/limits")) });
  return (
    <Stack maw={900}>
      <Text size="sm" c="dimmed">
        {words.about}
      </Text>
      <Loaded query={limits}>
        {(found) => (
          <Listing label={text.settings.tabs.limits} columns={[words.limit, words.value, words.setting]}>
            {found.map((one) => (
              <Table.Tr key={one.name}>
                <Table.Td>
                  <Text size="sm" fw={600}>
                    {words.names[one.name] ?? one.name}
                  </Text>
                </Table.Td>
                <Table.Td>{limitOf(one)}</Table.Td>
                <Table.Td>{one.setting ? <Code>{one.setting}</Code> : words.fixed}</Table.Td>
              </Table.Tr>
            ))}
          </Listing>
        )}
      </Loaded>
    </Stack>
  );
}
