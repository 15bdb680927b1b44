/** Interactions with the dashboard in a browser: how long until the next frame, and until what was asked for stands there.
 *
 * The first is the duration that Event Timing tells of the input, from which INP is made: until the frame after it was painted,
 * to 8 ms. The second is from the same input to the frame in which the data stands. Each run is a browser profile of its own,
 * which goes through everything twice: the first time the pages are loaded.
 */
import { browser, settled, signIn } from "../tests/browser/look.mjs";

const { URL_OF_CLARION: url, KEY: key, RUNS: runs } = process.env;
const PATIENCE = 60_000;

/** In the page: keeps what Event Timing tells, and when the last key or button went down. */
function watch() {
  window.told = [];
  const keep = (list) => list.getEntries().forEach((one) => one.interactionId && window.told.push(one.duration));
  new PerformanceObserver(keep).observe({ type: "event", durationThreshold: 16 });
  for (const kind of ["pointerdown", "keydown"]) addEventListener(kind, (event) => (window.pressed = event.timeStamp), { capture: true });
}

/** In the page: keeps what it shows before anything is pressed. */
function arm(whole) {
  window.seen = (all) => (all ? document.documentElement.outerHTML : document.querySelector("main").textContent);
  window.before = window.seen(whole);
  window.pressed = undefined;
  window.told.length = 0;
}

/** In the page: milliseconds from the last press until the page shows something else, all of it, and that was painted. */
function shown({ heading, whole, patience }) {
  const there = () =>
    window.pressed !== undefined &&
    window.seen(whole) !== window.before &&
    !document.querySelector('main [role="status"][aria-label="Loading"]') &&
    (!heading || document.querySelector("main h1")?.textContent === heading);
  return new Promise((resolve, reject) => {
    const end = performance.now() + patience;
    const painted = () => resolve(performance.now() - window.pressed);
    const look = () => {
      if (performance.now() > end) reject(new Error("it is not shown"));
      else if (there()) requestAnimationFrame(() => setTimeout(painted));
      else requestAnimationFrame(look);
    };
    look();
  });
}

async function measured(page, act, more = {}) {
  await page.evaluate(arm, more.whole);
  const data = page.evaluate(shown, { ...more, patience: PATIENCE });
  await act();
  const took = await data;
  await page.waitForTimeout(200);
  const told = await page.evaluate(() => window.told);
  return { frame: Math.max(0, ...told), data: took };
}

const link = (page, name) => page.getByRole("navigation").first().getByRole("link", { name, exact: true });
const open = (name, heading = name) => [`open ${name}`, (page) => link(page, name).click(), { heading }];
const row = (what) => [`open ${what}`, (page) => page.locator("main tbody tr a").first().click()];
const button = (name) => (page) => page.getByRole("button", { name }).click();

/** What is done, one after the other; each begins where the one before ended. */
const STEPS = [
  open("Activity"),
  ["next page of Activity", button("Older")],
  ["choose failures in Activity", (page) => page.keyboard.press("f"), {}, (page) => page.getByLabel("Status", { exact: true }).focus()],
  row("a notification"),
  open("Broadcasts"),
  open("Workflows"),
  row("a workflow"),
  ["another tab of a workflow", (page) => page.getByRole("tab").nth(1).click()],
  open("Integrations"),
  open("Subscribers"),
  ["next page of Subscribers", button("Older")],
  ["search Subscribers", (page) => page.keyboard.type("user-77777", { delay: 40 }), {}, (page) => page.getByRole("searchbox").focus()],
  row("a subscriber"),
  ["another tab of a subscriber", (page) => page.getByRole("tab").nth(1).click()],
  open("Topics"),
  row("a topic"),
  open("Webhooks"),
  open("Journal"),
  open("Audit log"),
  open("Settings"),
  ["another theme", button(/theme/), { whole: true }],
  open("Overview"),
  ...["7 days", "30 days", "24 hours"].map((range) => [`${range} of Overview`, (page) => page.getByText(range, { exact: true }).click()]),
  ["open the search", (page) => page.keyboard.press("Control+k"), { whole: true }, (page) => page.evaluate(() => document.activeElement.blur())],
  ["search everywhere", (page) => page.keyboard.type("workflow", { delay: 40 }), { whole: true }],
];

async function through(page) {
  const found = {};
  for (const [name, act, more, prepare] of STEPS) {
    await prepare?.(page);
    await page.waitForTimeout(100);
    found[name] = await measured(page, () => act(page), more).catch((reason) => Promise.reject(new Error(`${name}: ${reason}`)));
  }
  await page.keyboard.press("Escape");
  return found;
}

const opened = await browser();
const all = [];
for (let run = 0; run < Number(runs); run += 1) {
  const context = await opened.newContext({ viewport: { width: 1440, height: 900 } });
  const page = await context.newPage();
  await page.addInitScript(watch);
  await signIn(page, { url, key });
  await settled(page);
  all.push({ first: await through(page), again: await through(page) });
  await context.close();
}
await opened.close();
console.log(JSON.stringify(all));
