/** What a visitor has to do before the pages: nothing, sign in, set Clarion up, or take up an invitation. */
import { api, Refused, told } from "./client";
import { session } from "./session";

export type Entrance =
  | { to: "pages" }
  | { to: "sign in" }
  | { to: "set up"; codeRequired: boolean; code: string }
  | { to: "invitation"; token: string };

export async function entrance(place: { pathname: string; hash: string }): Promise<Entrance> {
  const after = decodeURIComponent(place.hash.replace(/^#/, ""));
  if (place.pathname === "/invitation" && after) return { to: "invitation", token: after };
  if (session.key()) return { to: "pages" };
  try {
    await told(api.GET("/v1/session"));
    return { to: "pages" };
  } catch (error) {
    if (!(error instanceof Refused && error.status === 401)) throw error;
  }
  const { needed, codeRequired } = await told(api.GET("/v1/setup"));
  return needed ? { to: "set up", codeRequired, code: after.replace(/^code=/, "") } : { to: "sign in" };
}
