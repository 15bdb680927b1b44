import { useQueries, useQuery } from "@tanstack/react-query";
import { api, told, type Schemas } from "../../data/client";
import { useEnvironment, useEnvironments } from "../../data/environments";
import { beat } from "../../data/live";
import { useMember } from "../../data/member";
import { together, type Together } from "../../data/together";

export type Standing = { integration: Schemas["IntegrationOut"]; health: Schemas["HealthOut"] | undefined };

/** The integrations of the environment in use, each with how it stands, and whether all of that is known. */
export function useStandings(): Together & { standings: Standing[] } {
  const [member, environments, environment] = [useMember(), useEnvironments(), useEnvironment()];
  const integrations = useQuery({ queryKey: ["integrations"], queryFn: () => told(api.GET("/v1/integrations")) });
  const own = (integrations.data ?? []).filter((one) => one._environmentId === environment?._id && one.active);
  const health = useQueries({
    queries: own.map((one) => ({
      queryKey: ["health", one._id],
      queryFn: () => told(api.GET("/v1/integrations/{integrationId}/health", { params: { path: { integrationId: one._id } } })),
      refetchInterval: () => beat(5000),
    })),
  });
  return {
    standings: own.map((integration, at) => ({ integration, health: health[at]?.data })),
    ...together([member, environments, integrations, ...health]),
  };
}

/** What waits in the journal, and what was set aside. */
export function useJournal() {
  return useQuery({ queryKey: ["journal"], queryFn: () => told(api.GET("/v1/journal")), refetchInterval: 5000 });
}

/** The webhook endpoints: who listens can't be told by one that it is switched off itself. */
export function useEndpoints() {
  return useQuery({ queryKey: ["webhooks"], queryFn: () => told(api.GET("/v1/webhooks")), refetchInterval: () => beat(15_000) });
}
