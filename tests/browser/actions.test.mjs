/** What somebody does on the pages reaches Clarion, and what is lost by it is asked about first. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { caller } from "./furnish.mjs";
import { browser, listen, own, settled, violations } from "./look.mjs";

const { URL_OF_CLARION: url, KEY: key, ACCOUNT: account, WEBHOOK: webhook } = process.env;
const call = caller(url, key);
const OWNER = { email: "ada@example.com", password: "correct horse battery" };
let opened;
let page;
let noise;

before(async () => {
  await call("POST", "/v1/integrations", { name: "My app", identifier: "my-app", providerId: "fcm", channel: "push", active: true, credentials: { serviceAccount: account } });
  await call("POST", "/v2/workflows", { workflowId: "welcome", name: "Welcome", active: true, steps: [{ name: "Push", type: "push", controlValues: { subject: "Hello", body: "There" } }] });
  for (const subscriberId of ["ada", "grace"]) await call("POST", "/v2/subscribers", { subscriberId });
  await call("POST", "/v1/subscribers/ada/devices", { id: "shared-phone", token: "shared-phone-token", providerId: "fcm", integrationIdentifier: "my-app" });
  opened = await browser();
  page = await (await opened.newContext({ viewport: { width: 1440, height: 900 } })).newPage();
  page.setDefaultTimeout(Number(process.env.PATIENCE ?? 20_000));
  noise = listen(page);
  await own(page, url, OWNER);
});

after(() => opened?.close());

const quiet = () => assert.deepEqual(noise.splice(0), []);
const dialog = () => page.getByRole("dialog");
const press = (name, on = page) => on.getByRole("button", { name, exact: true }).first().click();
const choose = (name) => page.getByRole("menuitem", { name, exact: true }).click();

async function visit(path) {
  await page.goto(url + path);
  await settled(page);
}

/** Asks, is told what is lost, thinks better of it, and then means it. */
async function confirmed(ask, loses, action, undone) {
  await ask();
  await dialog().getByText(loses).waitFor();
  assert.deepEqual(await violations(page), []);
  await press("Cancel", dialog());
  await dialog().waitFor({ state: "detached" });
  await undone();
  await ask();
  await press(action, dialog());
  await dialog().waitFor({ state: "detached" });
}

const devices = async (who) => (await call("GET", `/v1/subscribers/${who}/devices`)).map((one) => one.id);

test("a device gets a test push, is moved to somebody else, and removed", async () => {
  const ask = (what) => async () => {
    await press("Actions for shared-phone");
    await choose(what);
  };
  await visit("/subscribers/ada");
  await ask("Test push")();
  await press("Send", dialog());
  await dialog().getByText("accepted", { exact: true }).waitFor();
  await press("Close", dialog());
  await dialog().waitFor({ state: "detached" });
  await ask("Move")();
  await dialog().getByLabel("To the subscriber").first().fill("grace");
  await page.getByRole("option", { name: "grace" }).click();
  await press("Move", dialog());
  await page.getByText("No device yet").waitFor();
  assert.deepEqual(await devices("grace"), ["shared-phone"]);
  await visit("/subscribers/grace");
  await confirmed(ask("Remove"), "It gets no more pushes until its app registers it again.", "Remove", async () => {
    assert.deepEqual(await devices("grace"), ["shared-phone"]);
  });
  await page.getByText("No device yet").waitFor();
  assert.deepEqual(await devices("grace"), []);
  quiet();
});

test("the activity is read page by page, and back", async () => {
  const events = Array.from({ length: 30 }, (_, number) => ({ name: "welcome", to: "grace", transactionId: `turn-${number}` }));
  await call("POST", "/v1/events/trigger/bulk", { events });
  for (let asked = 0; (await call("GET", "/v1/notifications?limit=30")).data.length < 30 && asked < 100; asked += 1) await page.waitForTimeout(100);
  await visit("/activity");
  const shown = () => page.getByText(/^turn-\d+$/).allInnerTexts();
  const first = await shown();
  await press("Older");
  await page.getByText(first[0], { exact: true }).waitFor({ state: "detached" });
  const rest = await shown();
  await press("Newer");
  await page.getByText(first[0], { exact: true }).waitFor();
  assert.deepEqual([first.length, rest.length, new Set([...first, ...rest]).size], [25, 5, 30]);
  await visit("/broadcasts");
  await page.getByLabel("State").selectOption("Paused");
  await page.getByText("No broadcast fits these filters").waitFor();
  quiet();
});

test("a key is made, opens, and opens no more once it is revoked", async () => {
  await visit("/settings");
  await page.getByLabel("Name", { exact: true }).fill("billing");
  await press("New key");
  const made = page.getByRole("status").filter({ hasText: "Copy it now" });
  const fresh = await made.locator("code").innerText();
  const opens = async () => (await fetch(`${url}/v1/limits`, { headers: { authorization: `ApiKey ${fresh}` } })).status;
  assert.equal(await opens(), 200);
  const ask = async () => {
    await press("Actions for billing");
    await choose("Revoke");
  };
  await confirmed(ask, "Applications that use it are refused at once.", "Revoke", async () => assert.equal(await opens(), 200));
  await page.getByRole("cell", { name: "billing" }).waitFor({ state: "detached" });
  assert.equal(await opens(), 401);
  quiet();
});

test("an environment is made, switched to, shows nothing of the other, and is removed", async () => {
  await visit("/settings?tab=environments");
  await press("New environment");
  await dialog().getByLabel("Name").fill("Staging");
  await press("Save", dialog());
  await page.getByRole("cell", { name: "Staging", exact: true }).waitFor();
  const enter = async (name) => {
    await page.getByRole("button", { name: /^Environment: / }).click();
    await choose(name);
    await page.getByRole("button", { name: `Environment: ${name}` }).waitFor();
    await settled(page);
  };
  await enter("Staging");
  await visit("/workflows");
  await page.getByText("No workflow yet").waitFor();
  assert.equal(await page.getByText("Welcome").count(), 0);
  const other = await page.context().newPage();
  await other.goto(`${url}/workflows`);
  await other.getByRole("button", { name: "Environment: Staging" }).waitFor(); // a new tab begins where the member is
  await other.close();
  await enter("Development");
  await visit("/workflows");
  await page.getByRole("link", { name: "Welcome" }).waitFor();
  await visit("/settings?tab=environments");
  const ask = () => press("Remove Staging");
  await confirmed(ask, /Everything in it is lost/, "Remove", () => page.getByRole("cell", { name: "Staging", exact: true }).waitFor());
  await page.getByRole("cell", { name: "Staging", exact: true }).waitFor({ state: "detached" });
  quiet();
});

test("a webhook is made, pinged, tells what became of it, and is sent again", async () => {
  await visit("/webhooks");
  await press("New endpoint");
  await dialog().getByLabel("Address").fill("http://169.254.169.254/latest");
  await press("Create", dialog());
  await dialog().getByRole("alert").waitFor();
  assert.equal(await dialog().getByLabel("Address").inputValue(), "http://169.254.169.254/latest");
  noise.splice(0); // the refusal
  await dialog().getByLabel("Address").fill(`${webhook}/events`);
  await dialog().getByLabel("Description").fill("Support desk");
  await press("Create", dialog());
  const first = await dialog().locator("code").innerText();
  assert.match(first, /^whsec_/);
  await dialog().getByRole("link", { name: "Deliveries" }).click();
  await press("Send a ping");
  const [endpoint] = await call("GET", "/v1/webhooks");
  const tries = async () => (await call("GET", `/v1/webhooks/${endpoint._id}/deliveries`)).data[0].attempts;
  await page.getByRole("button", { name: /^webhook\.ping|^ping/ }).first().click();
  await dialog().getByText(/^Answer \d+/).first().waitFor();
  await dialog().getByText(/webhook-signature/i).first().waitFor();
  assert.deepEqual(await violations(page), []);
  const before_ = await tries();
  await press("Send again", dialog());
  await page.getByText("It is sent again").waitFor();
  for (let asked = 0; (await tries()) <= before_ && asked < 100; asked += 1) await page.waitForTimeout(100);
  assert.ok((await tries()) > before_);
  await confirmed(() => press("New secret"), /goes on signing beside the new one for 24 hours/, "New secret", async () => {
    assert.equal(await page.getByText("It is shown only now").count(), 0);
  });
  const second = await page.getByRole("status").filter({ hasText: "shown only now" }).locator("code").innerText();
  assert.notEqual(second, first);
  await press("Send events again");
  await dialog().getByLabel("Which").selectOption("All");
  await press("Send events again", dialog());
  await page.getByText(/event is sent again|events are sent again/).first().waitFor();
  await confirmed(() => press("Remove"), "It hears of nothing any more, and its deliveries are lost.", "Remove", async () => {
    assert.equal((await call("GET", "/v1/webhooks")).length, 1);
  });
  await page.getByText("No endpoint yet").waitFor();
  quiet();
});

test("a workflow, a topic and a subscriber are removed once it is confirmed", async () => {
  await call("POST", "/v2/topics", { key: "news" });
  const gone = async (path) => (await fetch(url + path, { headers: { authorization: `ApiKey ${key}` } })).status;
  const fromMenu = (menu) => async () => {
    await press(menu);
    await choose("Remove");
  };
  const removals = [
    ["/workflows/welcome", "/v2/workflows/welcome", fromMenu("More"), /Triggers that name it are refused/],
    ["/topics/news", "/v2/topics/news", () => press("Remove"), /All its subscriptions are lost/],
    ["/subscribers/grace", "/v2/subscribers/grace", fromMenu("More"), /The profile, the devices/],
  ];
  for (const [at, path, ask, loses] of removals) {
    await visit(at);
    await confirmed(ask, loses, "Remove", async () => assert.equal(await gone(path), 200));
    assert.equal(await gone(path), 404, at);
  }
  quiet();
});

test("what was set aside is narrowed down to a lane and a kind of error, and only that is replayed", async () => {
  const parked = [
    { id: 1, lane: "webhook:e1", endpoint: "Billing", kind: "ValueError", error: "ValueError: no" },
    { id: 2, lane: "webhook:e1", endpoint: "Billing", kind: "KeyError", error: "KeyError: why" },
    { id: 3, lane: "deliver:i1", kind: "ValueError", error: "ValueError: nothing" },
    { id: 4, lane: "webhook:e1", endpoint: "Billing", kind: "ValueError", error: "ValueError: never" },
  ].map((one) => ({ ...one, claims: 8, parkedAt: "2026-01-01T00:00:00.000Z" }));
  const fitting = ({ searchParams: wanted }) => parked.filter((one) => ["lane", "kind"].every((name) => [null, one[name]].includes(wanted.get(name))));
  const replayed = [];
  await page.route(/\/v1\/journal\/parked/, (route) => {
    const asked = new URL(route.request().url());
    const found = fitting(asked);
    if (route.request().method() === "GET") return route.fulfill({ json: { data: found, next: null } });
    replayed.push(found.map((one) => one.id));
    return route.fulfill({ json: { data: { replayed: found.length } } });
  });
  await visit("/journal");
  const errors = () => page.getByRole("region", { name: "Set aside" }).getByText(/Error: /).allTextContents();
  assert.equal((await errors()).length, 4);
  await page.getByLabel("Lane").selectOption({ label: "Webhook events · Billing" });
  await page.getByText("ValueError: nothing").waitFor({ state: "detached" });
  await page.getByRole("combobox", { name: "Kind of error" }).fill("ValueError");
  await page.getByText("KeyError: why").waitFor({ state: "detached" });
  assert.deepEqual(await errors(), ["ValueError: no", "ValueError: never"]);
  await page.keyboard.press("Escape");
  const ask = () => press("Replay all of these");
  await confirmed(ask, "What was sent already is not sent again.", "Replay all of these", async () => assert.deepEqual(replayed, []));
  assert.deepEqual(replayed, [[1, 4]]);
  await page.getByRole("combobox", { name: "Kind of error" }).fill("TypeError");
  await page.getByText("Nothing that was set aside fits the filter.").waitFor();
  await page.unrouteAll({ behavior: "ignoreErrors" });
  quiet();
});

test("a member's role is changed, and who is removed is out at once", async () => {
  const guest = await (await opened.newContext()).newPage();
  await visit("/members");
  await press("Invite");
  await dialog().getByLabel("E-mail").fill("grace@example.com");
  await press("Make a link", dialog());
  const link = await dialog().getByText(/invitation#/).innerText();
  await press("Close", dialog());
  await guest.goto(link);
  await guest.getByLabel("Password", { exact: false }).first().fill("a moth in the relay");
  await press("Create the account", guest);
  await guest.getByRole("heading", { name: "Overview" }).waitFor();
  await visit("/members");
  await page.getByLabel("Role of grace@example.com").first().click();
  await page.getByRole("option", { name: "Admin" }).click();
  await page.getByText("Saved", { exact: true }).first().waitFor();
  await guest.goto(`${url}/webhooks`);
  await press("New endpoint", guest);
  await guest.getByRole("dialog").getByLabel("Address").waitFor();
  const row = page.getByRole("row", { name: /grace@example.com/ });
  const ask = async () => {
    await row.getByRole("button", { name: /^Actions/ }).click();
    await choose("Remove");
  };
  await confirmed(ask, /signed out/, "Remove", () => row.waitFor());
  await row.waitFor({ state: "detached" });
  await guest.goto(`${url}/overview`);
  await guest.getByRole("heading", { name: "Sign in" }).waitFor();
  await guest.context().close();
  quiet();
});
