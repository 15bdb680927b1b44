import { useQuery, type UseQueryResult } from "@tanstack/react-query";
import { api, Refused, told, type Schemas } from "../../data/client";
import type { Workflow } from "./draft";

/** The translations of a workflow; null where it has none yet. */
export function useTranslations(workflow: Workflow): UseQueryResult<Schemas["GroupOut"] | null> {
  const path = { resourceType: "workflow" as const, resourceId: workflow.workflowId };
  return useQuery({
    queryKey: ["translations", workflow.workflowId],
    queryFn: () =>
      told(api.GET("/v2/translations/group/{resourceType}/{resourceId}", { params: { path } })).catch((error: unknown) => {
        if (error instanceof Refused && error.status === 404) return null;
        throw error;
      }),
    enabled: workflow.isTranslationEnabled,
  });
}
