/** The environments of this Clarion, and the one in use. */
import { useQuery, type UseQueryResult } from "@tanstack/react-query";
import { api, told, type Schemas } from "./client";
import { useMember } from "./member";
import { session } from "./session";

export type Environment = Schemas["EnvironmentOut"];

export function useEnvironments(): UseQueryResult<Environment[]> {
  return useQuery({ queryKey: ["environments"], queryFn: () => told(api.GET("/v1/environments")), staleTime: 60_000 });
}

/** The environment in use, once it is known: a member's chosen one, unless this tab looks at another. */
export function useEnvironment(): Environment | undefined {
  const found = useEnvironments().data;
  const chosen = useMember().data?.environmentId;
  const wanted = session.environmentId() ?? chosen;
  return found?.find((one) => one._id === wanted);
}

/** The environment that a key opens; Refused where Clarion doesn't know the key. */
export async function environmentOf(key: string): Promise<Environment> {
  const found = await told(api.GET("/v1/environments", { headers: { Authorization: `ApiKey ${key}` } }));
  const own = found.find((one) => one.apiKeys.some((held) => held.key === key));
  if (!own) throw new Error(`No environment shows this key as its own`);
  return own;
}
