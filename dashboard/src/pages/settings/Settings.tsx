import { useMay } from "../../data/member";
import { Heading } from "../../parts/states";
import { Tabbed } from "../../parts/Tabbed";
import { text } from "../../text";
import { Caps } from "./Caps";
import { Environments } from "./Environments";
import { Keys } from "./Keys";
import { Limits } from "./Limits";
import { Variables } from "./Variables";

const words = text.settings;

/** What holds for the environment in use; keys are for admins. */
export function Settings() {
  const may = useMay();
  return (
    <>
      <Heading title={words.title} about={words.about} />
      <Tabbed
        tabs={[
          ...(may("admin") ? [{ value: "keys", label: words.tabs.keys, show: () => <Keys /> }] : []),
          { value: "caps", label: words.tabs.caps, show: () => <Caps /> },
          { value: "variables", label: words.tabs.variables, show: () => <Variables /> },
          { value: "environments", label: words.tabs.environments, show: () => <Environments /> },
          { value: "limits", label: words.tabs.limits, show: () => <Limits /> },
        ]}
      />
    </>
  );
}
