/** Registering, removing and losing devices. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { ErrorDto } from "@novu/api/models/errors/index.js";

import {
  activity,
  arrival,
  arrivals,
  channel,
  created,
  fcm,
  messages,
  novu,
  person,
  recipient,
  refused,
  token,
  tokensOf,
  trigger,
} from "./support.ts";

const { credentials } = novu.subscribers;

test("a trigger registers two devices just in time and reaches both", async () => {
  const subscriberId = person();
  const phones = [token(), token()];
  const to = { ...recipient(subscriberId, fcm(phones, "fcm-older")), firstName: "Ada" };
  const transaction = await trigger(to, { payload: { text: "first" } });
  for (const phone of phones) {
    const { notification } = (await arrival(phone)).message;
    assert.deepEqual([notification.title, notification.body], ["Hello Ada", "first"]);
  }
  const sent = await messages(transaction, 2);
  assert.deepEqual(
    sent.map((message) => message.status),
    ["sent", "sent"],
  );
  assert.deepEqual(sent.flatMap((message) => message.deviceTokens).sort(), [...phones].sort());
  assert.deepEqual(await tokensOf(subscriberId), { "fcm-older": phones });
});

test("credentials without an identifier go to the newest integration, with one to that", async () => {
  const subscriberId = await created();
  const [first, second] = [token(), token()];
  await credentials.update(fcm([first, first]), subscriberId);
  const { result } = await credentials.update(fcm([second], "fcm-older"), subscriberId);
  assert.equal(result.subscriberId, subscriberId);
  assert.deepEqual(await tokensOf(subscriberId), { "fcm-newer": [first], "fcm-older": [second] });
});

test("one token is removed by retrieving, filtering and updating", async () => {
  const subscriberId = await created();
  const [keep, drop] = [token(), token()];
  await credentials.append(fcm([keep]), subscriberId);
  await credentials.append(fcm([drop, keep]), subscriberId);
  const { result } = await novu.subscribers.retrieve(subscriberId);
  const found = result.channels?.find(({ providerId }) => providerId === "fcm");
  assert.deepEqual(found?.credentials.deviceTokens, [keep, drop]);
  const left = found.credentials.deviceTokens.filter((held) => held !== drop);
  await credentials.update(fcm(left, found.integrationIdentifier), subscriberId);
  assert.deepEqual(await tokensOf(subscriberId), { "fcm-newer": [keep] });
});

test("an empty update removes all tokens of one integration, and delete those of all", async () => {
  const subscriberId = await created();
  const kept = token();
  await credentials.update(fcm([token(), token()]), subscriberId);
  await credentials.update(fcm([kept], "fcm-older"), subscriberId);
  await credentials.update(fcm([]), subscriberId);
  assert.deepEqual(await tokensOf(subscriberId), { "fcm-newer": [], "fcm-older": [kept] });
  await credentials.delete(subscriberId, "fcm");
  assert.deepEqual(await tokensOf(subscriberId), {});
});

test("a push goes to every device of every integration", async () => {
  const [older, newer, hook] = [token(), token(), token("endpoint")];
  const phones = [fcm([older], "fcm-older"), fcm([newer], "fcm-newer")];
  const to = recipient(person(), ...phones, channel("push-webhook", [hook]));
  const sent = await messages(await trigger(to), 3);
  assert.deepEqual(sent.map(({ providerId }) => providerId).sort(), ["fcm", "fcm", "push-webhook"]);
  for (const device of [older, newer, hook]) await arrival(device);
});

test("101 tokens are refused as an ErrorDto and nothing changes", async () => {
  const subscriberId = await created();
  const hundred = Array.from({ length: 100 }, () => token());
  await credentials.update(fcm(hundred), subscriberId);
  for (const call of [
    () => credentials.update(fcm([...hundred, token()]), subscriberId),
    () => credentials.append(fcm([token()]), subscriberId),
  ]) {
    const error = await refused(call, ErrorDto);
    assert.equal(error.statusCode, 400);
    assert.equal(error.path, new URL(error.rawResponse.url).pathname);
  }
  assert.deepEqual(await tokensOf(subscriberId), { "fcm-newer": hundred });
});

test("a dead token is gone after a send and the others stay", async () => {
  const subscriberId = person();
  const [dead, alive] = [token("dead"), token()];
  const transaction = await trigger(recipient(subscriberId, fcm([dead, alive])));
  const sent = await messages(transaction, 2);
  const status = new Map(sent.map((message) => [message.deviceTokens?.[0], message.status]));
  assert.deepEqual([status.get(dead), status.get(alive)], ["error", "sent"]);
  await arrival(alive);
  assert.deepEqual(await arrivals(dead), []);
  assert.deepEqual(await tokensOf(subscriberId), { "fcm-newer": [alive] });
  const job = (await activity(transaction)).jobs?.at(-1);
  assert.ok(job?.executionDetails?.some(({ detail }) => detail === "Invalid device token removed"));
});

test("ids with a bar, a space, a slash and an accent work in every call", async () => {
  const subscriberId = person();
  const made = await novu.subscribers.create({ subscriberId, firstName: "Zoë" });
  assert.equal(made.result.subscriberId, subscriberId);
  assert.equal((await novu.subscribers.retrieve(subscriberId)).result.firstName, "Zoë");
  assert.equal((await novu.subscribers.patch({ lastName: "B" }, subscriberId)).result.lastName, "B");
  const phone = token();
  await credentials.update(fcm([]), subscriberId);
  await credentials.append(fcm([phone]), subscriberId);
  await trigger(subscriberId);
  await arrival(phone);
  await credentials.delete(subscriberId, "fcm");
  assert.deepEqual(await tokensOf(subscriberId), {});
  assert.equal((await novu.subscribers.delete(subscriberId)).result.acknowledged, true);
  const error = await refused(() => novu.subscribers.retrieve(subscriberId), ErrorDto);
  assert.equal(error.statusCode, 404);
});
