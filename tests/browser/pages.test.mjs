/** Every page of a Clarion that has something to show: nothing for axe at three widths in both themes, a picture of each. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { caller, furnish } from "./furnish.mjs";
import { browser, listen, pictures, settled, signIn } from "./look.mjs";

const { URL_OF_CLARION: url, KEY: key, ACCOUNT: account, WEBHOOK: webhook, WEBHOOK_SECRET: webhookSecret, PICTURES: folder } = process.env;
const only = process.env.ONLY?.split(",");
const call = caller(url, key);
let opened;
let page;
let noise;
const named = {};

before(async () => {
  await furnish({ url, key, account, webhook, webhookSecret });
  const integrations = await call("GET", "/v1/integrations");
  named.fcm = integrations.find((one) => one.providerId === "fcm")._id;
  named.browsers = integrations.find((one) => one.providerId === "web-push")._id;
  await call("PUT", `/v1/integrations/${named.browsers}`, { configurations: { inboundWebhookEnabled: true } });
  named.calling = integrations.find((one) => one.providerId === "one-signal")._id;
  named.endpoint = (await call("GET", "/v1/webhooks"))[0]._id;
  for (let tries = 0; !named.failed && tries < 100; tries += 1) {
    const found = await call("GET", "/v1/notifications?status=error&subscriberIds=grace&limit=1");
    named.failed = found.data[0]?._id;
    if (!named.failed) await new Promise((resolve) => setTimeout(resolve, 100));
  }
  await call("POST", `/v1/webhooks/${named.endpoint}/ping`);
  opened = await browser();
  const context = await opened.newContext();
  page = await context.newPage();
  noise = listen(page);
  await signIn(page, { url, key });
});

after(() => opened?.close());

const PAGES = {
  overview: "/overview",
  activity: "/activity",
  "activity-filtered": "/activity?status=error&error=nothing",
  notification: () => `/activity/${named.failed}`,
  broadcasts: "/broadcasts",
  workflows: "/workflows",
  "workflow-steps": "/workflows/order-shipped",
  "workflow-test": "/workflows/order-shipped?tab=trigger",
  "workflow-code": "/workflows/order-shipped?tab=code",
  "workflow-preferences": "/workflows/order-shipped?tab=preferences",
  "workflow-translations": "/workflows/price-drop?tab=translations",
  "workflow-settings": "/workflows/order-shipped?tab=settings",
  integrations: "/integrations",
  "integration-health": () => `/integrations/${named.fcm}`,
  "integration-settings": () => `/integrations/${named.fcm}?tab=settings`,
  "integration-tracking": () => `/integrations/${named.fcm}?tab=tracking`,
  "integration-links": () => `/integrations/${named.browsers}?tab=tracking`,
  "integration-callback": () => `/integrations/${named.calling}?tab=tracking`,
  "integration-subscribe": () => `/integrations/${named.browsers}?tab=subscribe`,
  phones: "/phones",
  subscribers: "/subscribers",
  "subscriber-devices": "/subscribers/grace",
  "subscriber-activity": "/subscribers/grace?tab=activity",
  "subscriber-profile": "/subscribers/grace?tab=profile",
  "subscriber-preferences": "/subscribers/edsger?tab=preferences",
  "subscriber-schedule": "/subscribers/konrad?tab=schedule",
  "subscriber-topics": "/subscribers/ada?tab=topics",
  "subscriber-why": "/subscribers/ada?tab=why",
  topics: "/topics",
  topic: "/topics/release-notes",
  webhooks: "/webhooks",
  webhook: () => `/webhooks/${named.endpoint}`,
  journal: "/journal",
  audit: "/audit",
  members: "/members",
  account: "/account",
  "settings-keys": "/settings",
  "settings-caps": "/settings?tab=caps",
  "settings-variables": "/settings?tab=variables",
  "settings-environments": "/settings?tab=environments",
  "settings-limits": "/settings?tab=limits",
  missing: "/nothing/here",
};

for (const [name, path] of Object.entries(PAGES)) {
  test(name, { skip: only && !only.includes(name) }, async () => {
    await page.goto(url + (typeof path === "function" ? path() : path));
    if (name === "missing") await page.getByText("There is nothing at this address").waitFor();
    else await settled(page);
    assert.deepEqual(await pictures(page, name, folder), []);
    assert.deepEqual(noise.splice(0), []);
  });
}

test("the chart counts what is asked for, by workflow and by integration", { skip: only && !only.includes("chart") }, async () => {
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.goto(`${url}/overview`);
  await settled(page);
  const choose = (name) => page.getByRole("region", { name: "Outcomes over time" }).getByText(name, { exact: true }).first().click();
  const told = (caption) => page.getByRole("table", { name: caption }).waitFor({ state: "attached" });
  await choose("Workflow");
  await told("Outcomes over time: Delivered");
  await choose("Skipped");
  await told("Outcomes over time: Skipped");
  assert.deepEqual(await pictures(page, "overview-chart", folder, ["desktop", "phone"]), []);
  await page.setViewportSize({ width: 1440, height: 900 });
  await choose("Integration");
  await told("Outcomes over time: Delivered"); // what is skipped belongs to no integration
  assert.deepEqual(noise.splice(0), []);
});

test("a preview shows what a device does, in the chosen locale", { skip: only && !only.includes("preview") }, async () => {
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.goto(`${url}/workflows/order-shipped`);
  await settled(page);
  await page.getByRole("img", { name: /^iOS: .* With a picture\. 1 on the app's icon\.$/ }).waitFor();
  await page.getByText("Image: cdn.example.com/parcel.jpg.", { exact: false }).waitFor();
  await page.getByLabel("Show all of it").check();
  assert.deepEqual(await pictures(page, "preview-whole", folder, ["desktop"]), []);
  await page.goto(`${url}/workflows/price-drop`);
  await settled(page);
  await page.getByRole("img", { name: /is cheaper/ }).waitFor();
  await page.getByRole("textbox", { name: "Locale" }).or(page.getByRole("combobox", { name: "Locale" })).first().click();
  await page.getByRole("option", { name: "de", exact: true }).click();
  await page.getByRole("img", { name: /ist billiger/ }).waitFor();
  assert.deepEqual(noise.splice(0), []);
});

test("a phone shows a push with its picture, and unfolds it", { skip: only && !only.includes("phones") }, async () => {
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.goto(`${url}/phones`);
  await settled(page);
  const push = page.getByRole("region", { name: "Ada's iPhone" }).getByRole("button", { name: /With a picture\. 1 on the app's icon\./ });
  assert.equal(await push.getAttribute("aria-expanded"), "false");
  await push.focus();
  await page.keyboard.press("Enter");
  assert.equal(await push.getAttribute("aria-expanded"), "true");
  assert.deepEqual(await pictures(page, "phones-unfolded", folder, ["desktop"], ["light"]), []);
  assert.deepEqual(noise.splice(0), []);
});

test("each kind of step has an editor", { skip: only && !only.includes("steps") }, async () => {
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.goto(`${url}/workflows/everything`);
  await settled(page);
  for (const name of ["Gather", "Ask", "Values", "Wait", "Not too often", "Tell"]) {
    await page.getByRole("button", { name: new RegExp(`^${name}`) }).click();
    await page.getByLabel("Name of the step").and(page.locator(`[value="${name}"]`)).waitFor();
    assert.deepEqual(await pictures(page, `step-${name.toLowerCase().replaceAll(" ", "-")}`, folder, ["desktop", "phone"], ["light"]), []);
    await page.setViewportSize({ width: 1440, height: 900 });
  }
  await page.getByRole("button", { name: "Add a step here (1)" }).click();
  await page.getByRole("menuitem", { name: /^Delay/ }).click();
  await page.getByText("Not saved yet").waitFor();
  assert.deepEqual(noise.splice(0), []);
});

test("the search finds pages and workflows from the keyboard", { skip: only && !only.includes("search") }, async () => {
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.goto(`${url}/overview`);
  await settled(page);
  await page.keyboard.press("Control+k");
  await page.getByPlaceholder("Go to a page").fill("order");
  await page.getByRole("button", { name: "Order shipped" }).waitFor();
  assert.deepEqual(await violations_of_search(), []);
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await page.waitForURL(/workflows/);
  async function violations_of_search() {
    return pictures(page, "search", folder, ["desktop"]);
  }
});
