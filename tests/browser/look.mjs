/** A browser that looks at the dashboard: signs in, keeps pictures, and tells what axe and the console complain of. */
import { mkdirSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(new URL("../../dashboard/package.json", import.meta.url));
const { chromium } = require("playwright-core");
const { AxeBuilder } = require("@axe-core/playwright");

const FLAGS = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
  "--disable-sync", "--disable-dev-shm-usage",
];
const STANDARD = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
export const WIDTHS = { phone: [390, 844], tablet: [820, 1180], desktop: [1440, 900] };
export const THEMES = ["light", "dark"];

/** Debian's Chromium, without its own calls home. */
export const browser = () => chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: FLAGS });

/** What a page complains of: errors of scripts, of the policy, of answers; not those that the test means to get. */
export function listen(page, meant = /status of 401/) {
  const noise = [];
  page.on("pageerror", (error) => noise.push(String(error)));
  page.on("console", (said) => {
    if (["error", "warning"].includes(said.type()) && !meant.test(said.text())) noise.push(said.text());
  });
  return noise;
}

/** Signs a page in with an environment's key. */
export async function signIn(page, { url, key }) {
  await page.goto(url);
  await page.getByRole("button", { name: /key/ }).click();
  await page.getByLabel("Secret key of an environment").fill(key);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await page.getByRole("navigation").first().waitFor(); // the sign-in has a heading, too, and no navigation
}

/** Waits until a page shows what it loads. */
export async function settled(page) {
  await page.locator("main h1").first().waitFor();
  await page.locator('[role="status"][aria-label="Loading"]').first().waitFor({ state: "detached" });
  await page.waitForTimeout(200);
}

/** Waits until nothing moves that comes to an end: what fades in is faint until then. */
async function still(page) {
  const ending = () => document.getAnimations().filter((one) => one.playState === "running" && one.effect?.getTiming().iterations !== Infinity).length;
  while ((await page.evaluate(ending)) > 0) await page.waitForTimeout(20); // the policy of the page forbids waitForFunction
}

/** Violations of WCAG AA on the page as it stands, in short. */
export async function violations(page) {
  await still(page);
  const found = await new AxeBuilder({ page }).withTags(STANDARD).analyze();
  return found.violations.map((one) => {
    const where = one.nodes.slice(0, 3).map((node) => `${node.target.join(" ")} ${node.any[0]?.message ?? ""}`);
    return `${one.id}: ${where.join(" | ")}`;
  });
}

/** Pictures of the page as it stands, at each width and theme; tells what is wrong with it there. Axe takes as long as all pictures:
 * it looks at a phone in the first theme and at a desktop in the last, which are both layouts and both themes. */
export async function pictures(page, name, folder, widths = Object.keys(WIDTHS), themes = THEMES) {
  const found = [];
  mkdirSync(folder, { recursive: true });
  for (const theme of themes) {
    await page.emulateMedia({ colorScheme: theme, reducedMotion: "reduce" });
    for (const width of widths) {
      const [wide, high] = WIDTHS[width];
      await page.setViewportSize({ width: wide, height: high });
      await page.waitForTimeout(150);
      await page.screenshot({ path: `${folder}/${name}-${width}-${theme}.png`, fullPage: true });
      const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      if (over > 1) found.push(`${name} ${width}: the page is ${over} px wider than the window`);
      if (width === "phone" ? theme === themes[0] : width === "desktop" && theme === themes.at(-1)) {
        found.push(...(await violations(page)).map((one) => `${name} ${width} ${theme}: ${one}`));
      }
    }
  }
  return found;
}

/** Makes the first account over the API, and leaves a page signed in with it; members make tests of roles and environments. */
export async function own(page, url, { email, password }) {
  const made = await page.request.post(`${url}/v1/setup`, { data: { email, password, name: "Ada" }, headers: { "Clarion-Client": "tests" } });
  if (!made.ok()) throw new Error(`the account was refused: ${await made.text()}`);
}
