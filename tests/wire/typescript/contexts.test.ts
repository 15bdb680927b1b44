/** Contexts, and what is told apart by them. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { ErrorDto } from "@novu/api/models/errors/index.js";

import {
  activity,
  arrival,
  created,
  fcm,
  messages,
  novu,
  person,
  recipient,
  refused,
  token,
  trigger,
  unique,
} from "./support.ts";

test("a context is made, read, changed, listed and removed", async () => {
  const id = `acme-${unique()}`;
  const { result: made } = await novu.contexts.create({ type: "tenant", id, data: { name: "Acme" } });
  assert.deepEqual([made.type, made.id, made.data], ["tenant", id, { name: "Acme" }]);
  const taken = await refused(() => novu.contexts.create({ type: "tenant", id }), ErrorDto);
  assert.equal(taken.statusCode, 409);

  assert.deepEqual((await novu.contexts.retrieve(id, "tenant")).result, made);
  const { result: changed } = await novu.contexts.update({ id, type: "tenant", updateContextRequestDto: { data: { plan: "pro" } } });
  assert.deepEqual(changed.data, { plan: "pro" });

  const { result: page } = await novu.contexts.list({ id, limit: 5 });
  assert.deepEqual([page.data.map((item) => item.id), page.totalCount, page.next], [[id], 1, null]);

  await novu.contexts.delete(id, "tenant");
  assert.equal((await refused(() => novu.contexts.retrieve(id, "tenant"), ErrorDto)).statusCode, 404);
});

test("what a trigger sends in a context is found by it", async () => {
  const [device, id] = [token(), `acme-${unique()}`];
  const context = { tenant: { id, data: { name: "Acme" } }, app: "crm" };
  const transactionId = await trigger(recipient(person(), fcm([device])), { context });
  await arrival(device);
  await messages(transactionId, 1);

  const contextKeys = ["app:crm", `tenant:${id}`];
  const { result: sent } = await novu.messages.retrieve({ contextKeys });
  assert.deepEqual(
    sent.data.map((message) => [message.transactionId, message.contextKeys]),
    [[transactionId, contextKeys]],
  );
  const { result: rows } = await novu.notifications.list({ contextKeys });
  assert.deepEqual(rows.data.map((row) => row.transactionId), [transactionId]);
  assert.deepEqual((await novu.contexts.retrieve(id, "tenant")).result.data, { name: "Acme" });
});

test("preferences are chosen in a context", async () => {
  const [subscriberId, id] = [await created(), `acme-${unique()}`];
  const change = { channels: { push: false }, context: { tenant: id } };
  const { result: changed } = await novu.subscribers.preferences.update(change, subscriberId);
  assert.equal(changed.global.channels.push, false);
  for (const [contextKeys, push] of [[[], true], [[`tenant:${id}`], false]] as const) {
    const { result } = await novu.subscribers.preferences.list({ subscriberId, contextKeys: [...contextKeys] });
    assert.equal(result.global.channels.push, push);
  }
});

test("a subscription of a context wants what it says", async () => {
  const [device, subscriberId, id] = [token(), person(), `acme-${unique()}`];
  await trigger(recipient(subscriberId, fcm([device])));
  await arrival(device);

  const topicKey = `topic-${id}`;
  const condition = { "==": [{ var: "payload.text" }, "wanted"] };
  const { result: made } = await novu.topics.subscriptions.create(
    { subscriptions: [subscriberId], context: { tenant: id }, preferences: [{ workflowId: "welcome", condition }] },
    topicKey,
  );
  const [subscription] = made.data;
  assert.deepEqual(subscription?.contextKeys, [`tenant:${id}`]);
  const { result: one } = await novu.topics.subscriptions.getSubscription(topicKey, subscription!.identifier!);
  assert.deepEqual(one.preferences?.map((item) => [item.workflow?.identifier, item.condition]), [["welcome", condition]]);
  const { result: page } = await novu.topics.subscriptions.list({ topicKey, contextKeys: [`tenant:${id}`] });
  assert.deepEqual([page.data.length, page.totalCount], [1, 1]);

  const to = { type: "Topic" as const, topicKey };
  const context = { tenant: id };
  const unwanted = await trigger(to, { payload: { text: "unwanted" }, context });
  const wanted = await trigger(to, { payload: { text: "wanted" }, context });
  const [sent] = await messages(wanted, 1);
  assert.equal(sent?.content, "wanted");
  assert.equal((await activity(unwanted)).jobs?.at(-1)?.status, "skipped");
});
