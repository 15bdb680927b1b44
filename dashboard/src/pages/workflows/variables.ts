import { useQuery } from "@tanstack/react-query";
import { api, told } from "../../data/client";
import { pathsOf } from "../../data/templates";
import type { DraftStep, Workflow } from "./draft";

/** The variables that a step's templates can name; of a step that isn't saved those of any other. */
export function useVariables(workflow: Workflow, step: DraftStep): string[] {
  const saved = workflow.steps.find((one) => one._id === step._id) ?? workflow.steps[0];
  const path = { workflowId: workflow.workflowId, stepId: saved?._id ?? "" };
  const detail = useQuery({
    queryKey: ["workflow", workflow.workflowId, "variables", saved?._id, workflow.updatedAt],
    queryFn: () => told(api.GET("/v2/workflows/{workflowId}/steps/{stepId}", { params: { path } })),
    enabled: saved !== undefined,
    staleTime: 60_000,
  });
  return pathsOf(detail.data?.variables);
}
