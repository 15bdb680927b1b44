/** What pages show while there is nothing, while they wait, and when they are refused; and the way through them by keyboard. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { caller } from "./furnish.mjs";
import { browser, listen, own, pictures, settled, violations } from "./look.mjs";

const { URL_OF_CLARION: url, KEY: key, PICTURES: folder } = process.env;
const call = caller(url, key);
let opened;
let page;
let noise;

before(async () => {
  opened = await browser();
  page = await (await opened.newContext({ viewport: { width: 1440, height: 900 } })).newPage();
  page.setDefaultTimeout(Number(process.env.PATIENCE ?? 20_000));
  noise = listen(page);
  await own(page, url, { email: "ada@example.com", password: "correct horse battery" });
  await call("POST", "/v2/subscribers", { subscriberId: "somebody" });
});

after(() => opened?.close());

const quiet = () => assert.deepEqual(noise.splice(0), []);

/** Each list, the address of what it loads, and what it says where there is nothing. */
const LISTS = {
  "/activity": ["/v1/notifications", "Nothing has been sent yet"],
  "/workflows": ["/v2/workflows", "No workflow yet"],
  "/integrations": ["/v1/integrations", "No provider is connected"],
  "/broadcasts": ["/v1/broadcasts", "No broadcast yet"],
  "/subscribers/somebody": ["/v1/subscribers/somebody/devices", "No device yet"],
  "/subscribers/somebody?tab=topics": ["/v2/subscribers/somebody/subscriptions", "No topic"],
  "/topics": ["/v2/topics", "No topic yet"],
  "/webhooks": ["/v1/webhooks", "No endpoint yet"],
  "/journal": ["/v1/journal", "Nothing waits"],
  "/phones": ["/v1/sandbox", "No phone yet"],
  "/settings?tab=variables": ["/v1/environment-variables", "No variable yet."],
};

const asks = (path) => (address) => address.pathname.startsWith(path);

for (const [at, [path, empty]] of Object.entries(LISTS)) {
  test(`${at} says what to do while there is nothing`, async () => {
    await page.goto(url + at);
    await page.getByText(empty, { exact: true }).first().waitFor();
    await settled(page);
    const name = `empty-${at.slice(1).replaceAll(/\W+/g, "-")}`;
    assert.deepEqual(await pictures(page, name, folder, ["desktop", "phone"], ["light"]), []);
    await page.setViewportSize({ width: 1440, height: 900 });
    quiet();
  });

  test(`${at} shows that it waits, what went wrong, and loads once it is asked again`, async () => {
    let answer;
    const held = new Promise((resolve) => {
      answer = resolve;
    });
    await page.route(asks(path), async (route) => {
      await held;
      await route.fulfill({ status: 503, json: { statusCode: 503, message: "The database is away: try again in a minute" } });
    });
    await page.goto(url + at);
    await page.getByRole("status", { name: "Loading" }).first().waitFor();
    assert.equal(await page.getByText(empty, { exact: true }).count(), 0);
    answer();
    const alert = page.getByRole("main").getByRole("alert").filter({ hasText: "The database is away" }).first();
    await alert.waitFor();
    assert.equal(await page.getByText(empty, { exact: true }).count(), 0);
    assert.deepEqual(await violations(page), []);
    const again = alert.getByRole("button", { name: "Try again" });
    await again.waitFor();
    await page.unrouteAll({ behavior: "ignoreErrors" });
    await again.click({ timeout: 2_000 }).catch(() => {}); // a page that asks by itself may have been quicker
    await page.getByText(empty, { exact: true }).first().waitFor();
    noise.splice(0); // the refusals
  });
}

test("a phone shows the chosen tab, wherever it stands in the row", async () => {
  await page.setViewportSize({ width: 390, height: 844 });
  await page.goto(`${url}/subscribers/somebody?tab=topics`);
  await settled(page);
  const { x, width } = await page.getByRole("tab", { name: "Topics" }).boundingBox();
  assert.ok(x >= 0 && x + width <= 390, `${x} ${width}`);
  assert.equal(await page.evaluate(() => scrollY), 0);
  await page.setViewportSize({ width: 1440, height: 900 });
  quiet();
});

test("the audit log is a table of low rows on a tablet", async () => {
  await page.setViewportSize({ width: 820, height: 1180 });
  await page.goto(`${url}/audit`);
  await settled(page);
  const rows = await page.locator("tbody tr").evaluateAll((all) => all.map((row) => row.getBoundingClientRect().height));
  assert.ok(rows.length > 0 && Math.max(...rows) < 120, String(rows));
  await page.setViewportSize({ width: 1440, height: 900 });
  quiet();
});

test("sandbox phones lead to a workflow while there is none", async () => {
  await page.goto(`${url}/phones`);
  await page.getByRole("link", { name: "Make a workflow" }).click();
  await page.getByRole("heading", { name: "Workflows" }).waitFor();
  quiet();
});

test("the keyboard alone makes a workflow and comes back to where it was", async () => {
  await page.goto(`${url}/workflows`);
  await settled(page);
  await page.keyboard.press("Tab");
  assert.equal(await focused(), "Skip to the page");
  await page.keyboard.press("Enter");
  await tabTo("New workflow");
  await page.keyboard.press("Enter");
  const dialog = page.getByRole("dialog");
  await dialog.waitFor();
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  assert.equal(await focused(), "New workflow");
  await page.keyboard.press("Enter");
  await dialog.getByLabel("Name").waitFor();
  await page.keyboard.type("By keyboard");
  await page.keyboard.press("Enter");
  await page.getByLabel("Title", { exact: true }).waitFor();
  await tabTo("Title");
  await page.keyboard.press("Control+a");
  await page.keyboard.type("Typed");
  await tabTo("Save");
  await page.keyboard.press("Enter");
  await page.getByText("Saved", { exact: true }).first().waitFor();
  assert.equal((await call("GET", "/v2/workflows/by-keyboard")).steps[0].controlValues.subject, "Typed");
  quiet();
});

test("whatever takes the focus shows it, in an order that ends", async () => {
  for (const at of ["/overview", "/workflows/by-keyboard", "/subscribers/somebody", "/activity", "/settings"]) {
    await page.goto(url + at);
    await settled(page);
    const seen = await walk();
    assert.ok(seen.length > 8, `${at}: ${seen.length}`);
    assert.deepEqual(
      seen.filter((one) => !one.shown).map((one) => one.name),
      [],
      at,
    );
  }
  quiet();
});

/** The name of what has the focus. */
function focused() {
  return page.evaluate(() => {
    const one = document.activeElement;
    return (one?.getAttribute("aria-label") ?? one?.labels?.[0]?.textContent ?? one?.textContent ?? "").trim();
  });
}

async function tabTo(name) {
  for (let steps = 0; steps < 80; steps += 1) {
    await page.keyboard.press("Tab");
    if (((await focused()) ?? "").replace(/ \*$/, "") === name) return;
  }
  assert.fail(`the keyboard didn't reach ${name}`);
}

/** What takes the focus, from the first to the last: whether it is to be seen there. */
async function walk() {
  const seen = [];
  for (let steps = 0; steps < 150; steps += 1) {
    await page.keyboard.press("Tab");
    const one = await page.evaluate(() => {
      const found = document.activeElement;
      if (!found || found === document.body) return null;
      const again = found.hasAttribute("data-walked");
      found.setAttribute("data-walked", "");
      const outlined = (element) => {
        const style = getComputedStyle(element);
        return (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0) || style.boxShadow !== "none";
      };
      const bordered = found.matches("input, textarea, select"); // Mantine's fields change their border's colour
      const around = [found, found.parentElement, found.nextElementSibling].filter((each) => each?.getBoundingClientRect().width > 0);
      const name = (found.getAttribute("aria-label") ?? found.textContent ?? found.tagName).trim().slice(0, 60);
      return { again, name: `${found.tagName} ${name}`, shown: around.some((each) => (bordered && each === found) || outlined(each)) };
    });
    if (one === null || one.again) return seen;
    seen.push(one);
  }
  assert.fail("the walk doesn't end");
}
