/** The pages; each is a chunk of its own. */
import { createRootRoute, createRoute, createRouter, lazyRouteComponent, redirect, type RouteComponent } from "@tanstack/react-router";
import { Broken, Missing } from "./shell/Broken";
import { Shell } from "./shell/Shell";

const root = createRootRoute({ component: Shell, notFoundComponent: Missing });

const PAGES: Record<string, RouteComponent> = {
  "/activity": lazyRouteComponent(() => import("./pages/activity/Activity"), "Activity"),
  "/activity/$notificationId": lazyRouteComponent(() => import("./pages/activity/Notification"), "Notification"),
  "/broadcasts": lazyRouteComponent(() => import("./pages/broadcasts/List"), "Broadcasts"),
  "/integrations": lazyRouteComponent(() => import("./pages/integrations/List"), "Integrations"),
  "/integrations/$integrationId": lazyRouteComponent(() => import("./pages/integrations/Detail"), "IntegrationDetail"),
  "/overview": lazyRouteComponent(() => import("./pages/overview/Overview"), "Overview"),
  "/workflows": lazyRouteComponent(() => import("./pages/workflows/List"), "Workflows"),
  "/workflows/$workflowId": lazyRouteComponent(() => import("./pages/workflows/Editor"), "WorkflowEditor"),
  "/subscribers": lazyRouteComponent(() => import("./pages/subscribers/List"), "Subscribers"),
  "/subscribers/$subscriberId": lazyRouteComponent(() => import("./pages/subscribers/Detail"), "SubscriberDetail"),
  "/topics": lazyRouteComponent(() => import("./pages/topics/List"), "Topics"),
  "/topics/$topicKey": lazyRouteComponent(() => import("./pages/topics/Detail"), "TopicDetail"),
  "/account": lazyRouteComponent(() => import("./pages/members/Account"), "Account"),
  "/audit": lazyRouteComponent(() => import("./pages/audit/AuditLog"), "AuditLog"),
  "/journal": lazyRouteComponent(() => import("./pages/journal/Journal"), "Journal"),
  "/members": lazyRouteComponent(() => import("./pages/members/Members"), "Members"),
  "/settings": lazyRouteComponent(() => import("./pages/settings/Settings"), "Settings"),
  "/webhooks": lazyRouteComponent(() => import("./pages/webhooks/List"), "Webhooks"),
  "/webhooks/$webhookId": lazyRouteComponent(() => import("./pages/webhooks/Detail"), "WebhookDetail"),
  "/phones": lazyRouteComponent(() => import("./pages/Phones"), "Phones"),
};

const home = createRoute({
  getParentRoute: () => root,
  path: "/",
  beforeLoad: () => {
    throw redirect({ to: "/overview" as string });
  },
});
const pages = Object.entries(PAGES).map(([path, component]) => createRoute({ getParentRoute: () => root, path, component }));

/** Loads the pages that nobody opened yet, one after the other when the browser has nothing else to do. */
export async function loadAhead(): Promise<void> {
  for (const page of Object.values(PAGES)) {
    await new Promise<void>((go) => ("requestIdleCallback" in window ? requestIdleCallback(() => go()) : setTimeout(go, 200)));
    await page.preload?.();
  }
}

export const router = createRouter({
  routeTree: root.addChildren([home, ...pages]),
  defaultPreload: "intent",
  defaultErrorComponent: Broken,
  scrollRestoration: true,
});
