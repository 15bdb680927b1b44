/** Several queries that make sense only together. */
import type { UseQueryResult } from "@tanstack/react-query";
import { Refused } from "./client";

type Asked = Pick<UseQueryResult, "data" | "error" | "refetch">;

export interface Together {
  /** Whether everything is known, as it is now. */
  known: boolean;
  /** Why something isn't; null while it is only waited for. */
  error: Error | null;
  /** Asks again for what couldn't be loaded. */
  retry: () => void;
}

/** What several queries came to. What the viewer may not see isn't waited for. */
export function together(asked: readonly Asked[]): Together {
  const failed = asked.filter((one) => one.error && !forbidden(one.error));
  return {
    known: failed.length === 0 && asked.every((one) => one.data !== undefined || forbidden(one.error)),
    error: failed[0]?.error ?? null,
    retry: () => failed.forEach((one) => void one.refetch()),
  };
}

const forbidden = (error: Error | null) => error instanceof Refused && error.status === 403;
