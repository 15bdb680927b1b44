import { createRootRoute, createRoute, createRouter, lazyRouteComponent, redirect } from "@tanstack/react-router";
import { Shell } from "./Shell";

const root = createRootRoute({ component: Shell });

const routes = [
  createRoute({
    getParentRoute: () => root,
    path: "/",
    beforeLoad: () => {
      throw redirect({ to: "/activity" });
    },
  }),
  createRoute({
    getParentRoute: () => root,
    path: "/activity",
    component: lazyRouteComponent(() => import("./pages/Activity"), "Activity"),
  }),
  createRoute({
    getParentRoute: () => root,
    path: "/integrations",
    component: lazyRouteComponent(() => import("./pages/Integrations"), "Integrations"),
  }),
  createRoute({
    getParentRoute: () => root,
    path: "/phones",
    component: lazyRouteComponent(() => import("./pages/Phones"), "Phones"),
  }),
];

/** The pages; each is a chunk of its own. */
export function makeRouter() {
  return createRouter({ routeTree: root.addChildren(routes), defaultPreload: "intent" });
}
