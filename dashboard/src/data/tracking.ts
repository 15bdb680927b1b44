/** The lines by which an app reports what became of a push, with the signed link that came in it. */

/** Where a push carries its link. */
export const LINK = "__clarionTrack";
export const EVENTS = ["delivered", "opened", "clicked", "dismissed"] as const;

/** What a link looks like. */
export function linkForm(origin: string): string {
  return `${origin}/v1/track/TOKEN?event=${EVENTS.join("|")}`;
}

const CURL = `# $LINK is the push's ${LINK}
curl -X POST "$LINK?event=opened"`;

const SWIFT = `// In your UNUserNotificationCenterDelegate
func userNotificationCenter(
  _ center: UNUserNotificationCenter, didReceive response: UNNotificationResponse
) async {
  let dismissed = response.actionIdentifier == UNNotificationDismissActionIdentifier
  let event = dismissed ? "dismissed" : "opened"
  guard
    let link = response.notification.request.content.userInfo["${LINK}"] as? String,
    let url = URL(string: "\\(link)?event=\\(event)")
  else { return }
  var request = URLRequest(url: url)
  request.httpMethod = "POST"
  _ = try? await URLSession.shared.data(for: request)
}`;

const KOTLIN = `// In your FirebaseMessagingService
override fun onMessageReceived(message: RemoteMessage) {
    message.data["${LINK}"]?.let { report(it, "delivered") }
}

// In the activity that a tap opens: intent.getStringExtra("${LINK}")?.let { report(it, "opened") }
fun report(link: String, event: String) = thread {
    val call = URL("$link?event=$event").openConnection() as HttpURLConnection
    call.requestMethod = "POST"
    runCatching { call.responseCode }
    call.disconnect()
}`;

const WORKER = `// In the service worker, beside the lines that show a push
const report = (link, event) =>
  link ? fetch(\`\${link}?event=\${event}\`, { method: "POST", mode: "no-cors" }) : Promise.resolve();
self.addEventListener("push", (event) => {
  event.waitUntil(report(event.data.json().data?.${LINK}, "delivered"));
});
self.addEventListener("notificationclick", (event) => {
  event.waitUntil(report(event.notification.data?.${LINK}, "clicked"));
});
self.addEventListener("notificationclose", (event) => {
  event.waitUntil(report(event.notification.data?.${LINK}, "dismissed"));
});`;

/** The lines by where they stand. */
export const LINK_LINES = { bash: CURL, swift: SWIFT, kotlin: KOTLIN, worker: WORKER } as const;
export type Place = keyof typeof LINK_LINES;

/** What a backend calls with the id that came in a push. */
export function idLines(address: string): string {
  return [
    `curl -X POST "${address}" \\`,
    '  -H "Authorization: ApiKey $CLARION_KEY" -H "Content-Type: application/json" \\',
    `  --data '{"eventType": "opened", "eventId": "THE __nvMessageId OF THE PUSH"}'`,
  ].join("\n");
}
