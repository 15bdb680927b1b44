/** Triggering one, many and everybody; taking a trigger back; what the feed says about it. */

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  activity,
  arrival,
  arrivals,
  created,
  fcm,
  messages,
  novu,
  person,
  recipient,
  token,
  trigger,
  unique,
  waitFor,
} from "./support.ts";

test("a bulk trigger answers for each event, the bad one included", async () => {
  const phone = token();
  const to = recipient(person(), fcm([phone]));
  const { result } = await novu.triggerBulk({
    events: [
      { workflowId: "welcome", to, payload: { text: "bulk" } },
      { workflowId: "no-such-workflow", to: person() },
    ],
  });
  assert.deepEqual(
    result.map(({ status }) => status),
    ["processed", "error"],
  );
  assert.deepEqual(
    result.map(({ acknowledged }) => acknowledged),
    [true, true],
  );
  assert.deepEqual(result[1]?.error, ["workflow_not_found"]);
  assert.equal((await arrival(phone)).message.notification.body, "bulk");
});

test("a broadcast reaches a subscriber it does not name", async (context) => {
  const phone = token();
  await novu.subscribers.credentials.update(fcm([phone]), await created());
  const text = `all-${unique()}`;
  const { result } = await novu.triggerBroadcast({ name: "welcome", payload: { text } });
  const transactionId = result.transactionId ?? "";
  // It goes to every test's subscribers; what one of their broken devices keeps waiting must not stay behind.
  context.after(() => novu.cancel(transactionId));
  assert.deepEqual([result.acknowledged, result.status], [true, "processed"]);
  assert.equal((await arrival(phone)).message.notification.body, text);
});

test("cancelling stops what waits to be sent again", async (context) => {
  const [down, subscriberId] = [token("down"), person()];
  const transactionId = await trigger(recipient(subscriberId, fcm([down])));
  context.after(() => novu.subscribers.credentials.delete(subscriberId, "fcm"));
  await waitFor("the message that waits", async () => {
    const { result } = await novu.messages.retrieve({ transactionId: [transactionId] });
    return result.data[0];
  });
  assert.equal((await novu.cancel(transactionId)).result, true);
  assert.equal((await activity(transactionId)).jobs?.at(-1)?.status, "canceled");
  assert.deepEqual(await arrivals(down), []);
});

test("cancelling what is over says there was nothing", async () => {
  const transactionId = await trigger(recipient(person(), fcm([token()])));
  await messages(transactionId, 1);
  assert.equal((await novu.cancel(transactionId)).result, false);
});

test("a repeated transaction is acknowledged again and sent once", async () => {
  const [phone, transactionId] = [token(), `order-${unique()}`];
  const to = recipient(person(), fcm([phone]));
  for (let round = 0; round < 3; round += 1) {
    assert.equal(await trigger(to, { transactionId }), transactionId);
  }
  await messages(transactionId, 1);
  await arrival(phone);
  assert.equal((await arrivals(phone)).length, 1);
});

test("a trigger with every option is taken, and its overrides reach the provider", async () => {
  const phone = token();
  const { result } = await novu.trigger({
    workflowId: "welcome",
    to: [recipient(person(), fcm([phone])), { subscriberId: await created() }],
    payload: { text: "all options" },
    overrides: { providers: { fcm: { android: { priority: "high" } } }, severity: "high" },
    actor: await created(),
    tenant: { identifier: "t" },
    context: { app: "x", region: { id: "r", data: { z: 1 } } },
  });
  assert.equal(result.status, "processed");
  const { message } = await arrival(phone);
  assert.equal(message.android.priority.toLowerCase(), "high");
});

test("messages say what was sent, where and how it went", async () => {
  const [subscriberId, phone] = [person(), token()];
  const transactionId = await trigger(recipient(subscriberId, fcm([phone])), { payload: { text: "told" } });
  const [message] = await messages(transactionId, 1);
  const { channel, providerId, deviceTokens, title, content, status } = message!;
  assert.deepEqual(
    { channel, providerId, deviceTokens, content, status },
    { channel: "push", providerId: "fcm", deviceTokens: [phone], content: "told", status: "sent" },
  );
  assert.match(title ?? "", /^Hello/);
  const mine = await novu.messages.retrieve({ channel: "push", subscriberId, page: 0, limit: 10 });
  assert.deepEqual(
    mine.result.data.map(({ id }) => id),
    [message!.id],
  );
  assert.equal(mine.result.hasMore, false);
});

test("a notification is listed and retrieved with its jobs and their traces", async () => {
  const subscriberId = person();
  const transactionId = await trigger(recipient(subscriberId, fcm([token()])));
  const listed = await activity(transactionId);
  const { result } = await novu.notifications.retrieve(listed.id ?? "");
  assert.deepEqual(result, listed);
  assert.equal(result.subscriber?.subscriberId, subscriberId);
  assert.equal(result.template?.name, "Welcome");
  assert.deepEqual(
    result.jobs?.map(({ type, status }) => [type, status]),
    [
      ["trigger", "completed"],
      ["push", "completed"],
    ],
  );
  assert.ok((result.jobs?.at(-1)?.executionDetails?.length ?? 0) > 0);
  const filtered = await novu.notifications.list({
    subscriberIds: [subscriberId],
    channels: ["push"],
    limit: 10,
  });
  assert.deepEqual(
    filtered.result.data.map(({ id }) => id),
    [listed.id],
  );
});
