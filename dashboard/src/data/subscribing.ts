/** The lines that subscribe a browser, as people copy them: for the page, and for the service worker beside it. */

/** What the page does, once somebody pressed the button that asks for pushes. */
export function pageLines(publicKey: string): string {
  return `// In your page, when somebody presses the button that asks for pushes
if ((await Notification.requestPermission()) === "granted") {
  await navigator.serviceWorker.register("/push.js");
  const { pushManager } = await navigator.serviceWorker.ready;
  const subscription = await pushManager.subscribe({
    userVisibleOnly: true,
    applicationServerKey: "${publicKey}",
  });
  await fetch("/my-server/push-subscription", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(subscription),
  });
}`;
}

/** What your server does with the subscription. */
export const SERVER_LINES = `// On your server: POST /v1/subscribers/{subscriberId}/devices with
// { "providerId": "web-push", "platform": "web", "subscription": … }`;

/** The service worker: shows a push, and opens its page when it is pressed. */
export const WORKER_LINES = `// In /push.js
self.addEventListener("push", (event) => {
  const { title, ...options } = event.data.json();
  event.waitUntil(self.registration.showNotification(title, options));
});
self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const { url } = event.notification.data ?? {};
  if (url) event.waitUntil(self.clients.openWindow(url));
});`;

export function subscribing(publicKey: string): string {
  return [pageLines(publicKey), SERVER_LINES, WORKER_LINES].join("\n\n");
}
