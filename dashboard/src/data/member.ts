/** The member who is signed in, and what their role covers. */
import { useQuery, type UseQueryResult } from "@tanstack/react-query";
import { api, told, type Schemas } from "./client";
import { session } from "./session";

export type SignedIn = Schemas["SignedInOut"];
export type Role = Schemas["Role"];

export const ROLES: readonly Role[] = ["viewer", "editor", "admin", "owner"];

/** Whether a role may do what another may. */
export function covers(role: Role, needed: Role): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(needed);
}

/** Who is signed in; null where a key lets in. */
export function useMember(): UseQueryResult<SignedIn | null> {
  return useQuery({
    queryKey: ["member"],
    queryFn: () => (session.key() ? null : told(api.GET("/v1/session"))),
    staleTime: 60_000,
  });
}

/** Whether the viewer's role covers another. A key is an admin of its environment, and no member. */
export function useMay(): (needed: Role) => boolean {
  const member = useMember().data;
  return (needed) => covers(member ? member.member.role : session.key() ? "admin" : "viewer", needed);
}
