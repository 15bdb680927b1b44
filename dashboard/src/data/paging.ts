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

/** A list of which somebody reads a page. `name` names it, with everything that it is filtered by: another filter begins anew at `start`. */
function useList<At, P>(name: readonly unknown[], start: At, fetch: (at: At) => Promise<P>, every?: number) {
  const list = JSON.stringify(name);
  const [come, setCome] = useState({ list, at: start });
  const at = come.list === list ? come.at : start;
  const page = useQuery({
    queryKey: [...name, at],
    queryFn: () => fetch(at),
    placeholderData: keepPreviousData,
    refetchInterval: () => (every === undefined ? false : beat(every)),
  });
  return { page, at, go: (to: At) => () => setCome({ list, at: to }) };
}

/** A list whose answers say where it goes on alone: the way back is the way that was come. `name` is as in `useList`. */
export function useTrail<C, P extends { next?: C | null }>(name: readonly unknown[], fetch: (at: C | undefined) => Promise<P>, every: number): Trailed<P> {
  const { page, at: trail, go } = useList<C[], P>(name, [], (come) => fetch(come.at(-1)), every);
  const next = page.data?.next;
  return {
    page,
    ...(trail.length > 0 && { back: go(trail.slice(0, -1)) }),
    ...(next !== null && next !== undefined && { on: go([...trail, next]) }),
  };
}

/** A list by cursor, both ways. `name` is as in `useList`. */
export function useCursor<P extends Page>(name: readonly unknown[], fetch: (place: Place) => Promise<P>, every?: number): Paged<P> {
  const { page, go } = useList<Place, P>(name, {}, fetch, every);
  const { next, previous } = page.data ?? { next: null, previous: null };
  return {
    page,
    ...(previous && { newer: go({ before: previous }) }),
    ...(next && { older: go({ after: next }) }),
  };
}
