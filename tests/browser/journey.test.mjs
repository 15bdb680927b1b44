/** From the first run to a push that is seen delivered, live, and a dead token explained; then what roles may do. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { caller } from "./furnish.mjs";
import { browser, listen, pictures, settled, violations } from "./look.mjs";

const { URL_OF_CLARION: url, KEY: key, ACCOUNT: account, PICTURES: folder } = process.env;
const call = caller(url, key);
const OWNER = { email: "ada@example.com", password: "correct horse battery" };
const VIEWER = { email: "grace@example.com", password: "a moth in the relay" };
let opened;
let page;
let noise;

before(async () => {
  opened = await browser();
  page = await (await opened.newContext({ viewport: { width: 1440, height: 900 } })).newPage();
  page.setDefaultTimeout(Number(process.env.PATIENCE ?? 20_000));
  noise = listen(page);
});

after(() => opened?.close());

const press = (name, on = page) => on.getByRole("button", { name, exact: true }).first().click();
/** Nothing is wrong with the page as it stands, at any width and theme. */
async function seen(name) {
  const found = await pictures(page, name, folder);
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.emulateMedia({ colorScheme: "light" });
  assert.deepEqual(found, []);
}

const quiet = () => assert.deepEqual(noise.splice(0), []);

test("the first visitor makes the owner's account", async () => {
  await page.goto(url);
  await page.getByRole("heading", { name: "Set up Clarion" }).waitFor();
  await seen("set-up");
  await page.getByLabel("E-mail").fill(OWNER.email);
  await page.getByLabel("Your name").fill("Ada");
  await page.getByLabel("Password", { exact: false }).first().fill(OWNER.password);
  await press("Create the account");
  await page.getByRole("heading", { name: "Overview" }).waitFor();
  await page.getByRole("heading", { name: "First push" }).waitFor();
  await seen("first-steps");
  quiet();
});

test("a service account that is none is refused under its field, and the right one connects", async () => {
  await page.getByRole("link", { name: "Connect a provider" }).click();
  await press("Connect Firebase Cloud Messaging");
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Identifier").fill("my-app");
  await dialog.getByRole("textbox", { name: /service account/i }).fill("{}");
  await press("Connect", dialog);
  await dialog.getByRole("alert", { name: "This didn't work" }).waitFor();
  assert.equal(await dialog.getByLabel("Identifier").inputValue(), "my-app");
  noise.splice(0); // the refusal
  await dialog.getByRole("textbox", { name: /service account/i }).fill(account);
  await press("Connect", dialog);
  await page.getByText("Nothing was sent through it yet").first().waitFor();
  quiet();
});

test("a test send shows the request and the answer", async () => {
  await press("Test send");
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Device token").fill("some-phone");
  await press("Send", dialog);
  await dialog.getByText("accepted", { exact: true }).waitFor();
  await dialog.getByText("Request, secrets masked").waitFor();
  assert.deepEqual(await violations(page), []);
  await press("Close", dialog);
  await dialog.waitFor({ state: "detached" });
  quiet();
});

test("a workflow is written with a variable that completes itself, and seen on a phone", async () => {
  await page.getByRole("link", { name: "Workflows" }).click();
  await press("New workflow");
  await page.getByRole("dialog").getByLabel("Name").fill("Welcome");
  await press("Create", page.getByRole("dialog"));
  const title = page.getByLabel("Title", { exact: true });
  await title.fill("");
  await title.pressSequentially("Hello {{subscriber.fi");
  await page.getByRole("option", { name: "subscriber.firstName" }).waitFor();
  await page.keyboard.press("Enter");
  assert.equal(await title.inputValue(), "Hello {{subscriber.firstName}}");
  await page.getByLabel("Text", { exact: true }).fill("{{payload.text}} {{subscriber.shoeSize}}");
  await page.getByText(/subscriber.shoeSize/).nth(1).waitFor();
  await page.getByLabel("Text", { exact: true }).fill("{{payload.text}}");
  await page.getByRole("img", { name: /iOS: Hello/ }).waitFor();
  await press("Save");
  await page.getByText("Saved", { exact: true }).first().waitFor();
  assert.equal((await call("GET", "/v2/workflows/welcome")).steps[0].controlValues.subject, "Hello {{subscriber.firstName}}");
  quiet();
});

test("a subscriber gets a device that lives and one that is dead", async () => {
  await page.getByRole("link", { name: "Subscribers" }).click();
  await press("New subscriber");
  await page.getByRole("dialog").getByLabel("Subscriber id").fill("ada");
  await page.getByRole("dialog").getByLabel("First name").fill("Ada");
  await press("Create", page.getByRole("dialog"));
  for (const [id, token] of [["my-phone", "ada-phone-token"], ["old-phone", "ada-phone-dead"]]) {
    await press("Add a device");
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("textbox", { name: "Device token" }).fill(token);
    await dialog.getByLabel("Device id").fill(id);
    await press("Add", dialog);
    await page.getByRole("region", { name: id }).waitFor();
  }
  quiet();
});

test("a test run is followed to each device, and the dead token is explained", async () => {
  await page.goto(`${url}/workflows/welcome?tab=trigger`);
  await settled(page);
  await page.getByLabel("Subscriber").first().click();
  await page.getByRole("option", { name: /ada/ }).click();
  await press("Dry run");
  await page.getByText("would be sent").first().waitFor();
  await press("Trigger");
  await page.getByText("delivered", { exact: true }).waitFor();
  await page.getByText("UNREGISTERED").first().waitFor();
  await page.getByText(/register the new one when the\s+app starts again/).waitFor();
  assert.deepEqual(await violations(page), []);
  noise.splice(0); // asked before it was worked on
  await page.goto(`${url}/subscribers/ada`);
  await page.getByText("Retired: UNREGISTERED").waitFor();
});

test("what failed on some devices is sent again to those alone", async () => {
  const devices = "/v1/subscribers/ada/devices";
  await call("POST", devices, { id: "picky-phone", token: "ada-code-400", providerId: "fcm", integrationIdentifier: "my-app" });
  await call("POST", "/v1/events/trigger", { name: "welcome", to: "ada", transactionId: "half", payload: { text: "Half" }, overrides: { severity: "high" } });
  await page.goto(`${url}/activity?search=half`);
  await page.getByRole("link", { name: "Welcome" }).click();
  await press("Send again to the devices that failed");
  await page.waitForURL(/activity\?search=(?!half)/);
  const again = new URL(page.url()).searchParams.get("search");
  await page.getByRole("link", { name: "Welcome" }).waitFor();
  const { overrides } = (await call("GET", `/v1/notifications?transactionId=${again}`)).data[0];
  assert.deepEqual(overrides, { severity: "high", devices: ["picky-phone"] });
  await call("DELETE", `${devices}/picky-phone`);
  quiet();
});

test("the activity shows a push as it happens, without being loaded again", async () => {
  await page.goto(`${url}/activity`);
  await settled(page);
  const before = await page.getByRole("row").count();
  await call("POST", "/v1/events/trigger", { name: "welcome", to: "ada", transactionId: "seen-live", payload: { text: "Live" } });
  await page.getByText("seen-live").waitFor({ timeout: 25_000 }); // a page that is told asks by itself every half minute only
  await page.getByText("Push: completed").first().waitFor();
  assert.equal(await page.getByRole("row").count(), before + 1);
  quiet();
});

test("a condition is built from rules, and the workflow published with what changes there", async () => {
  await page.goto(`${url}/workflows/welcome`);
  await settled(page);
  await press("Add a rule");
  await page.getByRole("combobox", { name: "Variable" }).fill("payload.text");
  await page.getByLabel("Comparison").selectOption("is not");
  await page.getByLabel("Value", { exact: true }).fill("quiet");
  await press("Save");
  await page.getByText("Saved", { exact: true }).first().waitFor();
  assert.deepEqual((await call("GET", "/v2/workflows/welcome")).steps[0].controlValues.skip, { and: [{ "!=": [{ var: "payload.text" }, "quiet"] }] });
  const dialog = page.getByRole("dialog");
  const publish = async (...shown) => {
    await press("More");
    await page.getByRole("menuitem", { name: "Publish" }).click();
    for (const one of shown) await dialog.getByText(one).first().waitFor();
    await press("Publish", dialog);
    await dialog.waitFor({ state: "detached" });
  };
  await publish("Added");
  await page.getByText("Published to Production").first().waitFor();
  await page.getByLabel("Value", { exact: true }).fill("silent");
  await press("Save");
  await page.getByText("Not saved yet").waitFor({ state: "detached" });
  await publish("Changed", /quiet/, /silent/);
  quiet();
});

test("a sandbox phone shows a push within the page", async () => {
  await page.goto(`${url}/phones`);
  await settled(page);
  await page.getByLabel("Subscriber id").first().fill("zoe");
  await press("Add a phone");
  const phone = page.getByRole("region", { name: "Phone", exact: true });
  await phone.getByText("No push yet").waitFor();
  await page.getByLabel("Payload (JSON)").fill('{ "text": "Shown on the phone" }');
  await press("Send a push");
  await phone.getByText("Shown on the phone").waitFor();
  quiet();
});

test("a broadcast tells whom it reaches, is paused, goes on and is cancelled", async () => {
  await call("POST", "/v1/subscribers/zoe/devices", { id: "away", token: "zoe-down", providerId: "fcm", integrationIdentifier: "my-app" });
  await call("POST", "/v2/topics", { key: "news" });
  await call("POST", "/v2/topics/news/subscriptions", { subscriptions: ["zoe"] });
  await page.goto(`${url}/broadcasts`);
  await settled(page);
  await press("New broadcast");
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Workflow").first().fill("wel");
  await page.getByRole("option", { name: "Welcome" }).click();
  await press("Go on", dialog);
  await dialog.getByText("every subscriber of this environment").waitFor();
  await dialog.getByRole("button", { name: "Send to 2 people" }).waitFor();
  await press("Back", dialog);
  await dialog.getByText("Topics", { exact: true }).first().click();
  await dialog.getByLabel("Topics").last().click();
  await page.getByRole("option", { name: "news" }).click();
  await page.keyboard.press("Escape");
  await press("Go on", dialog);
  await press("Send to 1 person", dialog);
  const started = page.getByRole("region", { name: "welcome" }).first();
  await press("Pause", started);
  await press("Go on", started);
  await started.getByRole("button", { name: "Pause" }).waitFor();
  await press("Cancel", started);
  await press("Cancel the broadcast", page.getByRole("dialog"));
  await started.getByText("Cancelled").first().waitFor();
  await call("DELETE", "/v1/subscribers/zoe/devices/away");
  quiet();
});

test("a key is rotated, and the limits in force name their settings", async () => {
  await page.goto(`${url}/settings`);
  await settled(page);
  await page.getByRole("button", { name: /^Actions for/ }).first().click();
  await page.getByRole("menuitem", { name: "Rotate" }).click();
  await press("Rotate", page.getByRole("dialog"));
  const made = page.getByRole("status").filter({ hasText: "Copy it now" });
  const fresh = caller(url, await made.locator("code").innerText());
  await fresh("GET", "/v1/limits");
  await call("GET", "/v1/limits"); // the one before opens for a day
  await page.goto(`${url}/settings?tab=limits`);
  await page.getByRole("row", { name: /CLARION_ACTIVITY_RETENTION/ }).getByText("90 d").waitFor();
  quiet();
});

test("somebody who is invited as viewer looks and changes nothing", async () => {
  await page.goto(`${url}/account`);
  await settled(page);
  await seen("account-of-member");
  await page.goto(`${url}/members`);
  await settled(page);
  await seen("members-of-member");
  await press("Invite");
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("E-mail").fill(VIEWER.email);
  await dialog.getByLabel("Role").first().click();
  await page.getByRole("option", { name: "Viewer" }).click();
  await press("Make a link", dialog);
  const link = await dialog.getByText(/invitation#/).innerText();
  const guest = await (await opened.newContext({ viewport: { width: 1440, height: 900 } })).newPage();
  await guest.goto(link);
  await guest.getByText("invites you as Viewer").waitFor();
  assert.deepEqual(await violations(guest), []);
  await guest.getByLabel("Password", { exact: false }).first().fill(VIEWER.password);
  await press("Create the account", guest);
  await guest.getByRole("heading", { name: "Overview" }).waitFor();
  await guest.getByRole("link", { name: "Workflows" }).waitFor();
  assert.equal(await guest.getByRole("link", { name: "Members" }).count(), 0);
  const off = async (path, ...names) => {
    await guest.goto(url + path);
    await settled(guest);
    for (const name of names) {
      const button = guest.getByRole("button", { name, exact: true }).first();
      assert.equal(await button.getAttribute("aria-disabled"), "true", `${name} at ${path}`);
    }
  };
  await off("/workflows", "New workflow");
  await guest.getByRole("button", { name: "New workflow" }).click({ force: true });
  assert.equal(await guest.getByRole("dialog").count(), 0);
  await guest.getByRole("button", { name: "New workflow" }).hover();
  await guest.getByText("This takes the role Editor").waitFor();
  assert.deepEqual(await violations(guest), []);
  await off("/workflows/welcome?tab=trigger", "Save", "Trigger", "Dry run");
  await guest.getByRole("button", { name: "Dry run" }).focus();
  await guest.getByText("This takes the role Editor").waitFor();
  await call("POST", "/v2/workflows", { workflowId: "dormant", name: "Dormant", active: false, steps: [] });
  const colours = [];
  for (const workflow of ["welcome", "dormant"]) {
    await off(`/workflows/${workflow}`, "Save");
    colours.push(await colourOf(guest.getByRole("switch", { name: "Active" })));
  }
  assert.notEqual(colours[0], colours[1]); // who may not turn a switch still sees how it stands
  await off("/subscribers/ada", "Add a device");
  await off("/integrations", "Connect Firebase Cloud Messaging");
  await off("/broadcasts", "New broadcast");
  await off("/settings?tab=caps", "Save");
  for (const path of ["/members", "/audit"]) {
    await guest.goto(url + path);
    await guest.getByText("You may not see this").first().waitFor();
  }
  await guest.context().close();
});

/** The colour of a switch that is disabled. */
async function colourOf(one) {
  assert.ok(await one.isDisabled());
  return one.evaluate((input) => getComputedStyle(input.nextElementSibling).backgroundColor);
}

test("who signs out is out, and comes back with the password", async () => {
  await page.goto(`${url}/overview`);
  await settled(page);
  await press("Your account");
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  await seen("sign-in");
  await page.getByLabel("E-mail").fill(OWNER.email);
  await page.getByLabel("Password", { exact: false }).first().fill("not the password");
  await press("Sign in");
  await page.getByText("E-mail or password is wrong.").waitFor();
  await page.getByLabel("Password", { exact: false }).first().fill(OWNER.password);
  await press("Sign in");
  await page.getByRole("heading", { name: "Overview" }).waitFor();
});
