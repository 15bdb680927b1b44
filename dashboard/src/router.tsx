/** The pages; each is a chunk of its own. */
import { createRootRoute, createRoute, createRouter, lazyRouteComponent, redirect, type RouteComponent } from "@tanstack/react-router";
import { Broken, Missing } from "./shell/Broken";
import { Shell } from "./shell/Shell";

const root = createRootRoute({ component: Shell, notFoundComponent: Missing });

const PAGES: Record<string, RouteComponent> = {
  "/activity": lazyRouteComponent(() => import("./pages/Activity"), "Activity"),
  "/integrations": lazyRouteComponent(() => import("./pages/Integrations"), "Integrations"),
  "/workflows": lazyRouteComponent(() => import("./pages/workflows/List"), "Workflows"),
  "/workflows/$workflowId": lazyRouteComponent(() => import("./pages/workflows/Editor"), "WorkflowEditor"),
  "/phones": lazyRouteComponent(() => import("./pages/Phones"), "Phones"),
};

const home = createRoute({
  getParentRoute: () => root,
  path: "/",
  beforeLoad: () => {
    throw redirect({ to: "/activity" as string });
  },
});
const pages = Object.entries(PAGES).map(([path, component]) => createRoute({ getParentRoute: () => root, path, component }));

export const router = createRouter({
  routeTree: root.addChildren([home, ...pages]),
  defaultPreload: "intent",
  defaultErrorComponent: Broken,
  scrollRestoration: true,
});
