/** The lines that people copy from the dashboard are run: they subscribe a browser, show a push there, and trigger a workflow. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { caller } from "./furnish.mjs";
import { browser, listen, settled, signIn } from "./look.mjs";

const { URL_OF_CLARION: url, KEY: key, PUSH_SERVICE: pushService, SUBSCRIPTION: subscription, PYTHON: python } = process.env;
const call = caller(url, key);
const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), "lines-"));
let opened;
let page;
let noise;

before(async () => {
  await call("POST", "/v2/workflows", {
    workflowId: "order-shipped", name: "Order shipped", active: true,
    payloadSchema: { type: "object", properties: { order: { type: "object", properties: { id: { type: "string" } } }, text: { type: "string" } } },
    steps: [{ name: "Push", type: "push", controlValues: { subject: "On its way: {{payload.order.id}}", body: "{{payload.text}}", url: "https://example.com/orders" } }],
  });
  opened = await browser();
  page = await (await opened.newContext({ viewport: { width: 1440, height: 900 } })).newPage();
  page.setDefaultTimeout(Number(process.env.PATIENCE ?? 20_000));
  noise = listen(page);
  await signIn(page, { url, key });
});

after(async () => {
  await opened?.close();
  rmSync(folder, { recursive: true });
});

const quiet = () => assert.deepEqual(noise.splice(0), []);

/** The lines that the dashboard shows at an address, by the name of their frame. */
async function lines(path, name, tab) {
  await page.goto(url + path);
  await settled(page);
  if (tab) await page.getByRole("tab", { name: tab, exact: true }).click();
  return page.getByRole("region", { name, exact: true }).innerText();
}

/** A site of somebody's own: a page that runs the page's lines when its button is pressed, the worker, and a server that registers what it gets. */
async function site(pageLines, workerLines) {
  const seen = {};
  const html = `<!doctype html><title>Shop</title><button>Tell me</button><script type="module">
    document.querySelector("button").addEventListener("click", async () => { ${pageLines}\n document.title = "Subscribed"; });
  </script>`;
  const server = createServer(async (request, answer) => {
    const send = (type, body) => answer.writeHead(200, { "content-type": type }).end(body);
    if (request.url === "/push.js") return send("text/javascript", workerLines);
    if (request.method !== "POST") return send("text/html", html);
    seen.type = request.headers["content-type"];
    let body = "";
    for await (const part of request) body += part;
    await call("POST", "/v1/subscribers/ada/devices", { providerId: "web-push", platform: "web", subscription: JSON.parse(body) });
    send("application/json", "{}");
  });
  await new Promise((ready) => server.listen(0, "localhost", ready));
  return { server, seen, origin: `http://localhost:${server.address().port}` };
}

test("the lines of Web Push subscribe a browser, which shows a push and opens its page", async (t) => {
  const { _id, credentials } = (await call("GET", "/v1/integrations")).find((one) => one.providerId === "web-push");
  const copied = await lines(`/integrations/${_id}?tab=subscribe`, "Subscribe a browser");
  const [inPage, inWorker] = copied.split(/\/\/ On your server[^]*?(?=\/\/ In \/push\.js)/);
  const { server, seen, origin } = await site(inPage, inWorker);
  t.after(() => server.close()); // one that listens keeps the process up, and hides what failed
  const context = await opened.newContext({ permissions: ["notifications"] });
  const shop = await context.newPage();
  // The push service is a stand-in, and a browser knows no other than its maker's: what comes of `subscribe` is put in its place.
  await shop.addInitScript((made) => {
    PushManager.prototype.subscribe = async function subscribe(options) {
      if ((await this.permissionState(options)) === "denied") throw new Error("denied");
      window.asked = options;
      return JSON.parse(made);
    };
  }, subscription);
  await shop.goto(origin);
  await shop.getByRole("button").click();
  await shop.waitForFunction(() => document.title === "Subscribed");
  assert.deepEqual(await shop.evaluate(() => window.asked), { userVisibleOnly: true, applicationServerKey: credentials.publicKey });
  assert.equal(seen.type, "application/json");

  await call("POST", "/v1/events/trigger", { name: "order-shipped", to: "ada", payload: { order: { id: "A-1" }, text: "Tomorrow" } });
  const message = await taken("web-push");
  const worker = context.serviceWorkers()[0] ?? (await context.waitForEvent("serviceworker"));
  const devtools = await context.newCDPSession(shop);
  const registrationId = await registered(devtools);
  // Chromium drops a notification now and then that it is asked to show while it still looks for the desktop's own service; the tag keeps it one.
  const shown = await until(async () => {
    await devtools.send("ServiceWorker.deliverPushMessage", { origin, registrationId, data: JSON.stringify(message) });
    return shop.evaluate(async () => {
      const [found] = await (await navigator.serviceWorker.ready).getNotifications();
      return found && { title: found.title, body: found.body, url: found.data.url };
    });
  });
  assert.deepEqual(shown, { title: "On its way: A-1", body: "Tomorrow", url: "https://example.com/orders" });

  const opening = await worker.evaluate(async () => {
    const asked = [];
    self.clients.openWindow = async (address) => void asked.push(address);
    const [notification] = await self.registration.getNotifications();
    self.dispatchEvent(new NotificationEvent("notificationclick", { notification }));
    return asked;
  });
  assert.deepEqual(opening, ["https://example.com/orders"]);
  assert.equal(await until(async () => ((await worker.evaluate(async () => (await self.registration.getNotifications()).length)) === 0 ? "closed" : null)), "closed");
  await context.close();
  quiet();
});

test("the lines of a workflow trigger it in each language", async () => {
  const env = { ...process.env, CLARION_KEY: key };
  const commands = {
    cURL: (code) => run("bash", ["-euc", code.replace("curl ", "curl --fail-with-body --silent --show-error ")], { env }),
    Python: (code) => run(python, ["-c", code], { env }),
    TypeScript: (code) => run(process.execPath, [typescript(code)], { env }),
  };
  let triggered = 0;
  for (const [language, command] of Object.entries(commands)) {
    const code = await lines("/workflows/order-shipped?tab=code", language, language);
    await command(code);
    triggered += 1;
    const came = await until(async () => {
      const { data } = await call("GET", "/v1/notifications?subscriberIds=subscriber-id");
      return data.length === triggered && data;
    });
    assert.deepEqual(came[0].payload, { order: { id: "id" }, text: "text" }, language);
  }
  quiet();
});

/** A file of TypeScript beside the SDK. */
function typescript(code) {
  symlinkSync(new URL("../wire/typescript/node_modules", import.meta.url).pathname, join(folder, "node_modules"));
  writeFileSync(join(folder, "lines.mts"), code);
  return join(folder, "lines.mts");
}

/** The first answer that is one, asked for again and again. */
async function until(found) {
  for (let tries = 0; tries < 200; tries += 1) {
    const answer = await found();
    if (answer) return answer;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error("nothing came in time");
}

/** What the push service took last, as the browser decrypts it. */
async function taken(provider) {
  const { message } = await until(async () => {
    const all = await (await fetch(`${pushService}/_clarion/messages`)).json();
    return all.findLast((one) => one.provider === provider);
  });
  return message;
}

/** The id that the browser gave the service worker's registration. */
async function registered(devtools) {
  const found = new Promise((resolve) => {
    devtools.on("ServiceWorker.workerRegistrationUpdated", ({ registrations }) => registrations[0] && resolve(registrations[0].registrationId));
  });
  await devtools.send("ServiceWorker.enable");
  return found;
}
