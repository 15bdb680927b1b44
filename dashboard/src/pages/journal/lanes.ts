import { useQuery } from "@tanstack/react-query";
import { api, told } from "../../data/client";
import { useEnvironments } from "../../data/environments";
import { text } from "../../text";

const words = text.journal;

/** Something of a lane; `endpoint` is what the webhook endpoint is called whose lane it is. */
interface OfLane {
  lane: string;
  endpoint?: string | null;
}

export interface LaneName {
  kind: string;
  of: string;
}

/** Lanes by what they are for: `deliver:ID` is the delivery of an integration. */
export function useNames(): (one: OfLane) => LaneName {
  const environments = useEnvironments().data ?? [];
  const integrations = useQuery({ queryKey: ["integrations"], queryFn: () => told(api.GET("/v1/integrations")) }).data ?? [];
  const names = new Map([...environments, ...integrations].map((one) => [one._id, one.name]));
  return ({ lane, endpoint }) => {
    const [kind = "", id = ""] = lane.split(":");
    return { kind: words.kinds[kind] ?? kind, of: endpoint ?? names.get(id) ?? id };
  };
}
