/** Changing something: the call, what it makes stale, and a word about it. */
import { useMutation, useQueryClient, type UseMutationResult } from "@tanstack/react-query";
import { complain, say } from "./say";

interface Consequences<O> {
  /** First words of the queries that this makes stale. */
  stale?: readonly string[];
  /** Said when it is done. */
  said?: string;
  then?: (outcome: O) => void;
  /** Said with the error, where the page has no place for it. */
  failed?: string;
}

/** A mutation whose queries are asked again before it counts as done. */
export function useChange<O, I = void>(
  change: (input: I) => Promise<O>,
  { stale = [], said, then, failed }: Consequences<O> = {},
): UseMutationResult<O, Error, I> {
  const queries = useQueryClient();
  return useMutation<O, Error, I>({
    mutationFn: change,
    onSuccess: async (outcome) => {
      await Promise.all(stale.map((name) => queries.invalidateQueries({ queryKey: [name] })));
      if (said) say(said);
      then?.(outcome);
    },
    onError: (error) => failed && complain(failed, error),
  });
}
