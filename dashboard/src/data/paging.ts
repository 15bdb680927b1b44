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

interface Trailed<P> {
  page: UseQueryResult<P>;
  back?: () => void;
  on?: () => void;
}

interface Paged<P> {
  page: UseQueryResult<P>;
  newer?: () => void;
  older?: () => void;
}

/** A list whose answers say where it goes on alone: the way back is the way that was come. `name` is as in `useCursor`. */
export function useTrail<C, P extends { next?: C | null }>(name: readonly unknown[], fetch: (at: C | undefined) => Promise<P>, every: number): Trailed<P> {
  const list = JSON.stringify(name);
  const [come, setCome] = useState<{ list: string; trail: C[] }>({ list, trail: [] });
  const trail = come.list === list ? come.trail : [];
  const at = trail.at(-1);
  const page = useQuery({
    queryKey: [...name, at ?? null],
    queryFn: () => fetch(at),
    placeholderData: keepPreviousData,
    refetchInterval: () => beat(every),
  });
  const next = page.data?.next;
  const go = (to: C[]) => () => setCome({ list, trail: to });
  return {
    page,
    ...(trail.length > 0 && { back: go(trail.slice(0, -1)) }),
    ...(next !== null && next !== undefined && { on: go([...trail, next]) }),
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
