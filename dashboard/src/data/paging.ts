/** Reading a list a page at a time, both ways, behind the API's cursors. */
import { keepPreviousData, useQuery, type UseQueryResult } from "@tanstack/react-query";
import { useState } from "react";
import { beat } from "./live";

/** Where a page begins: behind a cursor, before one, or at the start. */
export interface Place {
  after?: string;
  before?: string;
}

interface Page {
  next: string | null;
  previous: string | null;
}

interface Paged<P> {
  page: UseQueryResult<P>;
  newer?: () => void;
  older?: () => void;
}

/** A list from the oldest on, behind a number alone: the way back is the way that was come. */
export function useTrail<P extends { next: number | null }>(name: readonly unknown[], fetch: (after: number) => Promise<P>, every: number): Paged<P> {
  const [trail, setTrail] = useState<number[]>([]);
  const after = trail.at(-1) ?? 0;
  const page = useQuery({
    queryKey: [...name, after],
    queryFn: () => fetch(after),
    placeholderData: keepPreviousData,
    refetchInterval: () => beat(every),
  });
  const next = page.data?.next;
  return {
    page,
    ...(trail.length > 0 && { older: () => setTrail(trail.slice(0, -1)) }),
    ...(next && { newer: () => setTrail([...trail, next]) }),
  };
}

/** A list by cursor. `name` names it, with everything that it is filtered by: another filter begins anew. */
export function useCursor<P extends Page>(name: readonly unknown[], fetch: (place: Place) => Promise<P>, every?: number): Paged<P> {
  const list = JSON.stringify(name);
  const [at, setAt] = useState<{ list: string; place: Place }>({ list, place: {} });
  const place = at.list === list ? at.place : {};
  const page = useQuery({
    queryKey: [...name, place],
    queryFn: () => fetch(place),
    placeholderData: keepPreviousData,
    refetchInterval: () => (every === undefined ? false : beat(every)),
  });
  const { next, previous } = page.data ?? { next: null, previous: null };
  const go = (to: Place) => () => setAt({ list, place: to });
  return {
    page,
    ...(previous && { newer: go({ before: previous }) }),
    ...(next && { older: go({ after: next }) }),
  };
}
