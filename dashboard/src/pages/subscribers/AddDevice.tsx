import { NativeSelect, Select, Text, Textarea, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useChange } from "../../data/change";
import { api, fieldErrors, told, type Schemas } from "../../data/client";
import { ChangeForm } from "../../parts/ChangeForm";
import { Loaded } from "../../parts/states";
import { text } from "../../text";

const words = text.subscribers.devices;
const PLATFORMS = ["", "ios", "android", "web", "macos", "windows", "linux", "other"];

/** Registers a device by hand, under an integration that is active. */
export function AddDevice({ subscriberId, added }: { subscriberId: string; added: () => void }) {
  const integrations = useQuery({ queryKey: ["integrations"], queryFn: () => told(api.GET("/v1/integrations")) });
  return (
    <Loaded query={integrations}>
      {(found) => {
        const usable = found.filter((one) => one.active && one.providerId !== "sandbox");
        return usable.length === 0 ? <Text>{words.noIntegration}</Text> : <Form subscriberId={subscriberId} integrations={usable} added={added} />;
      }}
    </Loaded>
  );
}

interface FormProps {
  subscriberId: string;
  integrations: Schemas["IntegrationOut"][];
  added: () => void;
}

function Form({ subscriberId, integrations, added }: FormProps) {
  const [chosen, setChosen] = useState(integrations[0]?._id ?? "");
  const [token, setToken] = useState("");
  const [id, setId] = useState("");
  const [platform, setPlatform] = useState("");
  const [appVersion, setVersion] = useState("");
  const integration = integrations.find((one) => one._id === chosen);
  const add = useChange(
    () => {
      const body: Schemas["DeviceIn"] = {
        providerId: integration?.providerId ?? "",
        integrationIdentifier: integration?.identifier,
        ...tokenOf(integration?.providerId, token.trim()),
        id: id || null,
        platform: (platform || null) as Schemas["DeviceIn"]["platform"],
        appVersion: appVersion || null,
      };
      return told(api.POST("/v1/subscribers/{subscriberId}/devices", { params: { path: { subscriberId } }, body }));
    },
    { stale: ["devices"], said: words.added, then: added },
  );
  const fields = fieldErrors(add.error);
  return (
    <ChangeForm change={add} action={text.add}>
      <Select
        label={words.integration}
        data={integrations.map((one) => ({ value: one._id, label: `${one.name} (${one.providerId})` }))}
        value={chosen}
        onChange={(value) => setChosen(value ?? chosen)}
        allowDeselect={false}
      />
      <Textarea
        label={words.token}
        value={token}
        onChange={(e) => setToken(e.currentTarget.value)}
        error={fields["token"] ?? fields["subscription"]}
        autosize
        maxRows={6}
        required
        data-autofocus
      />
      <TextInput label={words.id} description={words.idHelp} value={id} onChange={(e) => setId(e.currentTarget.value)} error={fields["id"]} />
      <NativeSelect label={words.platform} data={PLATFORMS} value={platform} onChange={(e) => setPlatform(e.currentTarget.value)} />
      <TextInput label={words.appVersion} value={appVersion} onChange={(e) => setVersion(e.currentTarget.value)} error={fields["appVersion"]} />
    </ChangeForm>
  );
}

/** A browser's subscription is JSON; other tokens are texts. */
function tokenOf(providerId: string | undefined, given: string): Pick<Schemas["DeviceIn"], "token" | "subscription"> {
  if (providerId !== "web-push") return { token: given };
  try {
    return { subscription: JSON.parse(given) as Schemas["SubscriptionIn"] };
  } catch {
    return { token: given };
  }
}
