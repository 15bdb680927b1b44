/** What pages say when something isn't known, is refused or lost: never that all is well, and never without a way on. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { caller } from "./furnish.mjs";
import { browser, listen, own, settled, violations } from "./look.mjs";

const { URL_OF_CLARION: url, KEY: key, ACCOUNT: account } = process.env;
const call = caller(url, key);
let opened;
let page;

before(async () => {
  await call("POST", "/v1/integrations", { name: "My app", identifier: "my-app", providerId: "fcm", channel: "push", active: true, credentials: { serviceAccount: account } });
  await call("POST", "/v2/workflows", { workflowId: "welcome", name: "Welcome", active: true, steps: [{ name: "Push", type: "push", controlValues: { subject: "Hello", body: "There" } }] });
  opened = await browser();
  page = await (await opened.newContext({ viewport: { width: 1440, height: 900 } })).newPage();
  page.setDefaultTimeout(Number(process.env.PATIENCE ?? 20_000));
  listen(page);
  await own(page, url, { email: "ada@example.com", password: "correct horse battery" });
});

after(() => opened?.close());

const press = (name, on = page) => on.getByRole("button", { name, exact: true }).first().click();
const away = (route) => route.fulfill({ status: 503, json: { statusCode: 503, message: "The database is away" } });
const asks = (path) => (address) => address.pathname.startsWith(path);

async function visit(path) {
  await page.goto(url + path);
  await settled(page);
}

test("the overview says that all is well only once it knows", async () => {
  const fine = page.getByText("Nothing needs attention.");
  let answer;
  const held = new Promise((resolve) => {
    answer = resolve;
  });
  await page.route(asks("/v1/journal"), async (route) => {
    await held;
    await away(route);
  });
  await visit("/overview");
  await page.getByText("Looking at what needs attention…").waitFor();
  assert.equal(await fine.count(), 0);
  answer();
  const alert = page.getByRole("alert").filter({ hasText: "The database is away" });
  await alert.waitFor();
  assert.equal(await fine.count(), 0);
  assert.deepEqual(await violations(page), []);
  await page.unrouteAll({ behavior: "ignoreErrors" });
  await press("Try again", alert).catch(() => {}); // the page, which asks by itself, may have been quicker
  await fine.waitFor();
});

test("the overview tells of a webhook endpoint that was switched off, and leads to it", async () => {
  const made = await call("POST", "/v1/webhooks", { url: "https://hooks.example/in", active: false });
  await page.route(asks("/v1/webhooks"), async (route) => {
    const response = await route.fetch();
    const told = (await response.json()).data;
    await route.fulfill({ response, json: { data: told.map((one) => ({ ...one, disabledReason: "failing" })) } });
  });
  await visit("/overview");
  const link = page.getByRole("link", { name: "The webhook endpoint at hooks.example was switched off: it failed for days. It hears of nothing." });
  await link.waitFor();
  assert.equal(await page.getByText("Nothing needs attention.").count(), 0);
  assert.deepEqual(await violations(page), []);
  await page.unrouteAll({ behavior: "ignoreErrors" });
  await link.click();
  await page.waitForURL(`**/webhooks/${made._id}`);
  await visit("/overview");
  await page.getByText("Nothing needs attention.").waitFor(); // one that somebody switched off is as it should be
  await call("DELETE", `/v1/webhooks/${made._id}`);
});

test("a list that can't be loaded again stays, says so, and is loaded once it is asked", async () => {
  await visit("/activity");
  await page.getByText("Nothing has been sent yet").waitFor();
  await page.route(asks("/v1/notifications"), away);
  const outdated = page.getByRole("main").getByRole("status").filter({ hasText: "could not be loaded again" });
  await call("POST", "/v1/events/trigger", { name: "welcome", to: "ada", payload: {} }); // the feed tells of it
  await outdated.waitFor();
  await outdated.getByText("The database is away").waitFor();
  await page.getByText("Nothing has been sent yet").waitFor();
  assert.deepEqual(await violations(page), []);
  await page.unrouteAll({ behavior: "ignoreErrors" });
  await press("Try again", outdated).catch(() => {});
  await page.getByRole("link", { name: "Welcome" }).waitFor();
  await outdated.waitFor({ state: "detached" });
});

test("the badge tells how the feed stands", async () => {
  const badge = (says) => page.getByRole("main").getByRole("status").filter({ hasText: says }).first();
  let held = [];
  await page.route(asks("/v1/live"), (route) => held.push(route));
  await visit("/activity");
  await badge(/^Connecting$/).waitFor();
  await held[0].fulfill({ status: 503, body: "" });
  await badge(/^Offline$/).waitFor();
  assert.deepEqual(await violations(page), []);
  held = [];
  await page.unrouteAll({ behavior: "ignoreErrors" });
  await badge(/^Live$/).waitFor();
});

test("an environment that refuses is not switched to", async () => {
  await visit("/workflows");
  await page.route(asks("/v1/session"), (route) =>
    route.request().method() === "PATCH" ? route.fulfill({ status: 403, json: { statusCode: 403, message: "You may not enter Production" } }) : route.fallback(),
  );
  const before = await page.getByRole("button", { name: /^Environment: / }).getAttribute("aria-label");
  await page.getByRole("button", { name: /^Environment: / }).click();
  await page.getByRole("menuitem", { name: "Production" }).click();
  const said = page.getByRole("alert").filter({ hasText: "You may not enter Production" });
  await said.waitFor();
  assert.equal(page.url(), `${url}/workflows`);
  assert.equal(await page.evaluate(() => sessionStorage.getItem("clarion-session")), null);
  await page.unrouteAll({ behavior: "ignoreErrors" });
  await press("Close", said);
  await page.reload();
  await settled(page);
  assert.equal(await page.getByRole("button", { name: /^Environment: / }).getAttribute("aria-label"), before);
});

test("who stays for what isn't saved saves it in the environment it is of", async () => {
  await visit("/workflows/welcome");
  await page.getByLabel("Title", { exact: true }).fill("Kept where it was");
  const asked = page.waitForEvent("dialog").then((question) => question.dismiss()); // the click that raises it may wait for its answer
  await page.getByRole("button", { name: /^Environment: / }).click();
  await page.getByRole("menuitem", { name: "Production" }).click();
  await asked;
  await press("Save");
  await page.getByText("Saved", { exact: true }).first().waitFor();
  assert.equal((await call("GET", "/v2/workflows/welcome")).steps[0].controlValues.subject, "Kept where it was");
  await page.getByLabel("Title", { exact: true }).fill("Hello");
  await press("Save");
  await page.getByText("Not saved yet").waitFor({ state: "detached" });
  await page.getByRole("button", { name: /^Environment: / }).click();
  await page.getByRole("menuitem", { name: "Production" }).click();
  await page.getByRole("button", { name: "Environment: Production" }).waitFor();
  await page.getByRole("button", { name: /^Environment: / }).click();
  await page.getByRole("menuitem", { name: "Development" }).click();
  await page.getByRole("button", { name: "Environment: Development" }).waitFor();
});

const dialog = () => page.getByRole("dialog");

/** Is told what would be lost, thinks better of it, asks again and means it. */
async function loses(ask, told, back, action) {
  for (const answer of [back, action]) {
    await ask();
    await dialog().getByText(told).waitFor();
    if (answer === back) assert.deepEqual(await violations(page), []);
    await press(answer, dialog());
    await dialog().waitFor({ state: "detached" });
  }
}

test("what is changed on a workflow is lost only when somebody says so", async () => {
  const title = page.getByLabel("Title", { exact: true });
  await visit("/workflows/welcome");
  await title.fill("Changed");
  await page.getByText("Not saved yet").waitFor();
  await loses(() => press("Discard changes"), /This is lost: steps you changed: “Push”/, "Cancel", "Discard changes");
  assert.equal(await title.inputValue(), "Hello");

  await loses(() => press("Remove step"), /discarding the changes brings it back/, "Cancel", "Remove step");
  await page.getByText("Not saved yet").waitFor();
  await page.getByRole("tab", { name: "Settings" }).click(); // a tab keeps it
  await page.getByLabel("Description").fill("Says hello");
  await loses(() => page.getByRole("link", { name: "Topics", exact: true }).click(), /steps you removed: “Push”; the description/, "Stay", "Leave");
  await page.waitForURL(/topics/);
  assert.equal((await call("GET", "/v2/workflows/welcome")).steps[0].controlValues.subject, "Hello");
});

test("what is written for a locale is lost only when somebody says so", async () => {
  await call("POST", "/v2/workflows", { workflowId: "told", name: "Told", active: true, isTranslationEnabled: true, steps: [{ name: "Push", type: "push", controlValues: { body: "{{t.hi}}" } }] });
  for (const locale of ["en_US", "de"]) await call("POST", "/v2/translations", { resourceType: "workflow", resourceId: "told", locale, content: { hi: locale } });
  const texts = (locale) => page.getByLabel(new RegExp(`^Texts \\(JSON\\) · ${locale}`));
  const shown = (locale) => page.getByRole("button", { name: locale, exact: true }).click();
  await visit("/workflows/told?tab=translations");
  await shown("de");
  await texts("de").fill('{"hi": "Hallo"}');
  await loses(() => shown("en_US"), /texts in de that you changed/, "Cancel", "Drop it");
  await texts("en_US").waitFor();
  await shown("de");
  assert.match(await texts("de").inputValue(), /"hi": "de"/);
  await texts("de").fill('{"hi": "Hallo"}');
  await loses(() => page.getByRole("tab", { name: "Code" }).click(), /texts in de that you changed/, "Stay", "Leave");
  await page.getByRole("tab", { name: "Translations" }).click();
  await shown("de");
  await texts("de").fill('{"hi": "Hallo"}');
  await press("Save", page.getByRole("tabpanel"));
  await page.getByText("Saved", { exact: true }).first().waitFor();
  await shown("en_US"); // asks nothing
  await texts("en_US").waitFor();
});

test("a form that isn't saved is asked about, and one that is saved is not", async () => {
  await call("POST", "/v2/subscribers", { subscriberId: "linus", firstName: "Linus" });
  const name = page.getByLabel("First name");
  const away = () => page.getByRole("tab", { name: "Devices" }).click();
  await visit("/subscribers/linus?tab=profile");
  await name.fill("Line");
  await loses(away, /What you changed here is lost/, "Stay", "Leave");
  await page.getByRole("tab", { name: "Profile" }).click();
  assert.equal(await name.inputValue(), "Linus");
  await name.fill("Lina");
  await press("Save");
  await page.getByText("Saved", { exact: true }).first().waitFor();
  await away();
  await page.getByText("No device yet").waitFor();
});

test("a subscriber's page tells why no push would come, and sends nothing", async () => {
  await call("POST", "/v2/subscribers", { subscriberId: "hush" });
  await visit("/subscribers/hush?tab=why");
  await page.getByLabel("Workflow").first().click();
  await page.getByRole("option", { name: "Welcome" }).click();
  await page.getByText(/never triggered for them/).waitFor();
  await press("Tell me why");
  const verdict = page.getByRole("main").getByRole("status").filter({ hasText: "Nothing would be sent" });
  await verdict.waitFor();
  await page.getByText("Register a device for this subscriber.").first().waitFor();
  assert.deepEqual(await violations(page), []);

  await call("POST", "/v1/subscribers/hush/devices", { id: "hush-phone", token: "hush-token", providerId: "fcm", integrationIdentifier: "my-app" });
  await press("Tell me why");
  await page.getByText("1 push would be sent.").waitFor();
  await call("PATCH", "/v2/subscribers/hush/preferences", { channels: { push: false } });
  await press("Tell me why");
  await verdict.waitFor();
  await page.getByText(/switched pushes off/).first().waitFor();
  assert.equal((await call("GET", "/v1/notifications?subscriberIds=hush")).data.length, 0);
});
