import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { api, told } from "../data/client";
import { workflowText } from "../text/workflows";
import { SearchSelect, useSought, type ChosenProps } from "./SearchSelect";

const MOST = 20;

/** Workflows that are called so, those triggered last before others. */
export function useWorkflows(sought: string, active = false) {
  return useQuery({
    queryKey: ["workflows", "choose", sought, active],
    queryFn: () =>
      told(
        api.GET("/v2/workflows", {
          params: { query: { limit: MOST, orderBy: "lastTriggeredAt", query: sought || null, ...(active && { status: ["ACTIVE"] }) } },
        }),
      ),
    placeholderData: keepPreviousData,
    staleTime: 60_000,
  });
}

interface WorkflowSelectProps extends ChosenProps {
  /** Whether only those can be chosen that a trigger starts. */
  active?: boolean;
}

/** Chooses a workflow by its identifier, found by a part of its name or identifier. */
export function WorkflowSelect({ active = false, ...rest }: WorkflowSelectProps) {
  const [sought, search] = useSought();
  const found = (useWorkflows(sought, active).data?.workflows ?? []).map((one) => ({ value: one.workflowId, label: one.name }));
  return <SearchSelect nothingFoundMessage={sought ? workflowText.nothing : workflowText.empty} {...rest} found={found} search={search} />;
}
