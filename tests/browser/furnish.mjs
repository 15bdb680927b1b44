/** Fills a Clarion with what a dashboard has to show, over its API as anybody would. */

/** Calls the API with a key; throws where it refuses. */
export function caller(url, key) {
  return async (method, path, body) => {
    const answer = await fetch(url + path, {
      method,
      headers: { authorization: `ApiKey ${key}`, "content-type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const said = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path} was answered ${answer.status}: ${said}`);
    const found = said === "" ? null : JSON.parse(said);
    return found && "data" in found && !("next" in found) && !("page" in found) ? found.data : found;
  };
}

const PEOPLE = [
  ["ada", "Ada", "Lovelace", "en", "Europe/London"],
  ["grace", "Grace", "Hopper", "en_US", "America/New_York"],
  ["alan", "Alan", "Turing", "en", "Europe/London"],
  ["katherine", "Katherine", "Johnson", "en_US", "America/New_York"],
  ["konrad", "Konrad", "Zuse", "de", "Europe/Berlin"],
  ["hedy", "Hedy", "Lamarr", "de", "Europe/Vienna"],
  ["edsger", "Edsger", "Dijkstra", "nl", "Europe/Amsterdam"],
  ["barbara", "Barbara", "Liskov", "en_US", "America/New_York"],
  ["tim", "Tim", "Berners-Lee", "en", "Europe/London"],
  ["radia", "Radia", "Perlman", "en_US", "America/Los_Angeles"],
  ["shafi", "Shafi", "Goldwasser", "he", "Asia/Jerusalem"],
  ["margaret", "Margaret", "Hamilton", "en_US", "America/New_York"],
];

const push = (name, subject, body, more = {}) => ({ name, type: "push", controlValues: { subject, body, ...more } });

const WORKFLOWS = [
  {
    workflowId: "order-shipped", name: "Order shipped", tags: ["orders"], severity: "medium",
    description: "Tells a customer that a parcel is on its way.",
    payloadSchema: { type: "object", properties: { order: { type: "object", properties: { id: { type: "string" }, carrier: { type: "string" } } } } },
    steps: [push("Push", "Your order is on its way, {{subscriber.firstName}}", "Order {{payload.order.id}} left with {{payload.order.carrier}}. It should be with you tomorrow.", { priority: "high", image: "https://cdn.example.com/parcel.jpg", badge: 1, url: "https://example.com/orders/{{payload.order.id}}", providers: { fcm: { android: { notification: { tag: "{{payload.order.id}}" } } } } })],
  },
  {
    workflowId: "new-comment", name: "New comment", tags: ["social"],
    steps: [push("Push", "{{payload.author}} commented", "{{payload.text | truncate: 80}}", { thread: "comments" })],
  },
  {
    workflowId: "weekly-digest", name: "Weekly digest", tags: ["social", "marketing"], severity: "low",
    steps: [push("Push", "Your week at Acme", "{{payload.count}} things happened while you were away.")],
  },
  {
    workflowId: "security-alert", name: "Security alert", tags: ["security"], severity: "high",
    preferences: { user: null, workflow: { all: { enabled: true, readOnly: true }, channels: { push: { enabled: true } } } },
    steps: [push("Push", "New sign-in from {{payload.place}}", "Was it you? If not, change your password now.", { priority: "high", sound: "alert.caf" })],
  },
  {
    workflowId: "everything", name: "Everything", tags: ["social"], active: false,
    steps: [
      { name: "Gather", type: "digest", controlValues: { type: "regular", amount: 10, unit: "minutes", digestKey: "payload.post", lookBackWindow: { amount: 5, unit: "minutes" } } },
      { name: "Ask", type: "http_request", controlValues: { method: "POST", url: "https://example.com/users/{{subscriber.subscriberId}}", headers: [{ key: "x-source", value: "clarion" }] } },
      { name: "Values", type: "custom", controlValues: { custom: { greeting: "Hello {{subscriber.firstName}}" } } },
      { name: "Wait", type: "delay", controlValues: { type: "timed", cron: "0 9 * * 1" } },
      { name: "Not too often", type: "throttle", controlValues: { type: "fixed", amount: 1, unit: "hours", threshold: 3 } },
      push("Tell", "{{step.total_count}} comments", "{{steps.values.greeting}}", { skip: { and: [{ ">": [{ var: "step.total_count" }, 1] }, { "==": [{ var: "subscriber.data.plan" }, "pro"] }] } }),
    ],
  },
  { workflowId: "price-drop", name: "Price drop", tags: ["marketing"], active: false, isTranslationEnabled: true, steps: [push("Push", "{{t.title}}", "{{t.now}} {{payload.price}}")] },
];

const TRANSLATIONS = {
  en_US: { title: "{{payload.item}} is cheaper", now: "Now" },
  de: { title: "{{payload.item}} ist billiger", now: "Jetzt" },
  nl: { title: "{{payload.item}} is goedkoper" },
};

const DEVICES = { ada: ["ada-iphone", "ada-android"], grace: ["grace-pixel", "grace-old-dead"], alan: ["alan-dead"], konrad: ["konrad-flaky-1"], hedy: ["hedy-code-413"] };

/** Everything, once. `account` is the text of an FCM service account. */
export async function furnish({ url, key, account, webhook, webhookSecret }) {
  const call = caller(url, key);
  await call("POST", "/v1/integrations", { name: "Acme app", identifier: "acme-app", providerId: "fcm", channel: "push", active: true, credentials: { serviceAccount: account } });
  if (webhook) {
    const credentials = { webhookUrl: webhook, secretKey: webhookSecret };
    await call("POST", "/v1/integrations", { name: "Audit hook", identifier: "audit-hook", providerId: "push-webhook", channel: "push", active: true, credentials });
  }
  await call("POST", "/v1/integrations", { name: "Browsers", identifier: "browsers", providerId: "web-push", channel: "push", active: true, credentials: { subject: "mailto:push@example.com" } });
  await call("POST", "/v1/integrations", { name: "OneSignal", identifier: "one-signal", providerId: "one-signal", channel: "push", active: false, credentials: { callbackSecret: "of-the-event-stream" } });
  for (const one of WORKFLOWS) await call("POST", "/v2/workflows", { active: true, ...one });
  for (const [locale, content] of Object.entries(TRANSLATIONS)) {
    await call("POST", "/v2/translations", { resourceType: "workflow", resourceId: "price-drop", locale, content });
  }
  for (const [subscriberId, firstName, lastName, locale, timezone] of PEOPLE) {
    await call("POST", "/v2/subscribers", { subscriberId, firstName, lastName, locale, timezone, email: `${subscriberId}@example.com`, data: { plan: "pro" } });
    for (const token of DEVICES[subscriberId] ?? [`${subscriberId}-phone`]) {
      const device = { id: token, token, providerId: "fcm", integrationIdentifier: "acme-app", platform: token.includes("android") || token.includes("pixel") ? "android" : "ios", appVersion: "4.2.0", locale, timezone };
      await call("POST", `/v1/subscribers/${subscriberId}/devices`, device);
    }
  }
  await call("POST", "/v2/topics", { key: "release-notes", name: "Release notes" });
  await call("POST", "/v2/topics", { key: "outages", name: "Outages" });
  await call("POST", "/v2/topics/release-notes/subscriptions", { subscriptions: ["ada", "grace", "konrad", "hedy", "tim"] });
  await call("PATCH", "/v2/subscribers/edsger/preferences", { channels: { push: false } });
  for (const [name, platform] of [["Ada's iPhone", "ios"], ["Ada's Pixel", "android"], ["Ada's browser", "web"]]) {
    await call("POST", "/v1/sandbox/phones", { subscriberId: "ada", name, platform });
  }
  const trigger = (name, to, payload) => call("POST", "/v1/events/trigger", { name, to, payload });
  for (const who of ["ada", "grace", "alan", "konrad", "hedy", "edsger"]) {
    await trigger("order-shipped", who, { order: { id: "A-1042", carrier: "DHL" } });
  }
  for (const who of ["ada", "grace", "tim"]) await trigger("new-comment", who, { author: "Grace", text: "Found the bug. It was a moth." });
  await trigger("security-alert", "edsger", { place: "Amsterdam" });
  await call("POST", "/v1/events/trigger", { name: "weekly-digest", to: [{ type: "Topic", topicKey: "release-notes" }], payload: { count: 7 } });
  await call("POST", "/v1/events/trigger/broadcast", { name: "weekly-digest", payload: { count: 12 } });
  await call("POST", "/v1/webhooks", { url: `${webhook ?? "https://hooks.example.com"}/events`, events: ["message.failed", "device.retired"], description: "Support desk" }).catch((reason) => console.error(String(reason)));
  return call;
}
