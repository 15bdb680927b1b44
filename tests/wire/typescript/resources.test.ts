/** Topics, environments and what goes between them, steps, messages, variables. */

import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";

import { ErrorDto } from "@novu/api/models/errors/index.js";

import { arrival, created, fcm, messages, novu, person, recipient, refused, token, trigger, unique } from "./support.ts";

async function environmentId(): Promise<string> {
  const { result } = await novu.environments.list();
  return result.find(({ type }) => type === "dev")!.id;
}

async function integrationId(): Promise<string> {
  const { result } = await novu.integrations.list();
  return result.find(({ identifier }) => identifier === "hook")!.id!;
}

/** A workflow with the step `order`, there for the length of a test. */
async function workflow(context: TestContext): Promise<string> {
  const workflowId = `flow-${unique()}`;
  const controlValues = { subject: "Order {{payload.id}}", body: "For {{subscriber.firstName}}" };
  const steps = [{ name: "Order", stepId: "order", type: "push" as const, controlValues }];
  await novu.workflows.create({ workflowId, name: workflowId, active: true, tags: [workflowId], steps });
  context.after(() => novu.workflows.delete(workflowId));
  return workflowId;
}

/** One more environment, there for the length of a test. */
async function staging(context: TestContext): Promise<string> {
  const { result: made } = await novu.environments.create({ name: `Staging ${unique()}`, color: "#c0392b" });
  assert.ok(made.apiKeys?.[0]?.key);
  context.after(() => novu.environments.delete(made.id));
  return made.id;
}

test("a topic is made, read, renamed, listed and removed", async () => {
  const key = `topic-${unique()}`;
  const { result: made } = await novu.topics.create({ key, name: "Orders" });
  assert.deepEqual([made.key, made.name], [key, "Orders"]);
  assert.equal((await novu.topics.create({ key, name: "All" })).result.id, made.id);
  assert.equal((await novu.topics.update({ name: "Every" }, key)).result.name, "Every");
  assert.equal((await novu.topics.get(key)).result.name, "Every");
  const { result: page } = await novu.topics.list({ key, limit: 5 });
  assert.deepEqual([page.data.map((item) => item.key), page.totalCount, page.next], [[key], 1, null]);
  assert.equal((await novu.topics.delete(key)).result.acknowledged, true);
  assert.equal((await refused(() => novu.topics.get(key), ErrorDto)).statusCode, 404);
});

test("subscriptions to a topic are made, paged, changed and ended", async () => {
  const [topicKey, first, second] = [`topic-${unique()}`, `a-${unique()}`, `b-${unique()}`];
  for (const subscriberId of [first, second]) await novu.subscribers.create({ subscriberId });
  const subscribe = { subscriptions: [first, second, "a stranger"] };
  const { result: made } = await novu.topics.subscriptions.create(subscribe, topicKey);
  assert.deepEqual([made.meta.successful, made.meta.failed], [2, 1]);
  assert.deepEqual(made.errors?.map((error) => error.subscriberId), ["a stranger"]);

  const { result: page } = await novu.topics.subscriptions.list({ topicKey, limit: 1 });
  assert.deepEqual([page.data.length, page.totalCount], [1, 2]);
  const { result: rest } = await novu.topics.subscriptions.list({ topicKey, limit: 5, after: page.next! });
  const names = [...page.data, ...rest.data].map((item) => item.subscriber?.subscriberId);
  assert.deepEqual(names.sort(), [first, second]);
  const { result: back } = await novu.topics.subscriptions.list({ topicKey, limit: 5, before: rest.data[0]!.id });
  assert.deepEqual(back.data.map((item) => item.id), page.data.map((item) => item.id));

  const identifier = made.data[0]!.identifier!;
  const change = { topicKey, identifier, updateTopicSubscriptionRequestDto: { name: "Mine" } };
  assert.equal((await novu.topics.subscriptions.update(change)).result.name, "Mine");
  const { result: one } = await novu.topics.subscriptions.getSubscription(topicKey, identifier);
  assert.deepEqual([one.identifier, one.name], [identifier, "Mine"]);
  const { result: theirs } = await novu.subscribers.topics.list({ subscriberId: second });
  assert.deepEqual(theirs.data.map((item) => item.topic.key), [topicKey]);

  assert.equal((await novu.topics.subscribers.retrieve(second, topicKey)).result.externalSubscriberId, second);
  const { result: ended } = await novu.topics.subscriptions.delete({ subscriptions: [second] }, topicKey);
  assert.deepEqual([ended.meta.successful, ended.meta.failed], [1, 0]);
  const gone = await refused(() => novu.topics.subscribers.retrieve(second, topicKey), ErrorDto);
  assert.equal(gone.statusCode, 404);
});

test("a topic is triggered, without whom the trigger excludes", async () => {
  const topicKey = `topic-${unique()}`;
  const [phone, quiet, inside, outside] = [token(), token(), await created(), await created()];
  await novu.subscribers.credentials.update(fcm([phone]), inside);
  await novu.subscribers.credentials.update(fcm([quiet]), outside);
  await novu.topics.subscriptions.create({ subscriptions: [inside, outside] }, topicKey);
  const transaction = await trigger([{ type: "Topic", topicKey, exclude: [outside] }]);
  await arrival(phone);
  assert.deepEqual((await messages(transaction, 1)).map(({ deviceTokens }) => deviceTokens), [[phone]]);
});

test("subscribers are made in bulk, searched for and set online", async () => {
  const [known, fresh] = [`person-${unique()}`, `person-${unique()}`];
  await novu.subscribers.create({ subscriberId: known, email: `${known}@example.com` });
  const given = { subscribers: [{ subscriberId: known }, { subscriberId: fresh }, { subscriberId: " " }] };
  const { result: written } = await novu.subscribers.createBulk(given);
  assert.deepEqual([written.updated.length, written.created.length, written.failed.length], [1, 1, 1]);
  const { result: page } = await novu.subscribers.search({ email: `${known}@example.com`, limit: 5 });
  assert.deepEqual(page.data.map(({ subscriberId }) => subscriberId), [known]);
  const { result: online } = await novu.subscribers.properties.updateOnlineFlag({ isOnline: true }, known);
  assert.equal(online.isOnline, true);
});

test("an environment is made, changed, filled and removed", async (context) => {
  const [flow, target] = [await workflow(context), await staging(context)];
  const name = `QA ${unique()}`;
  assert.equal((await novu.environments.update({ name }, target)).result.name, name);
  assert.deepEqual((await novu.environments.getTags(target)).result, []);
  const { result: found } = await novu.environments.diff({}, target);
  assert.ok(found.resources.some(({ sourceResource }) => sourceResource?.name === flow));
  const resources = [{ resourceType: "REGULAR" as const, resourceId: flow }];
  const { result: published } = await novu.environments.publish({ resources }, target);
  assert.deepEqual([published.summary.successful, published.summary.failed], [1, 0]);
  assert.deepEqual((await novu.environments.getTags(target)).result.map((tag) => tag.name), [flow]);
  const { result: synced } = await novu.workflows.sync({ targetEnvironmentId: target }, flow);
  assert.equal(synced.workflowId, flow);
});

test("a step is read and previewed", async (context) => {
  const workflowId = await workflow(context);
  const { result: step } = await novu.workflows.steps.retrieve(workflowId, "order");
  assert.deepEqual([step.stepId, step.type, step.workflowId], ["order", "push", workflowId]);
  const generatePreviewRequestDto = { previewPayload: { payload: { id: 7 } } };
  const asked = { workflowId, stepId: "order", generatePreviewRequestDto };
  const { result: shown } = await novu.workflows.steps.generatePreview(asked);
  assert.match(JSON.stringify(shown.result), /Order 7/);
  const lost = await refused(() => novu.workflows.steps.retrieve(workflowId, "nothing"), ErrorDto);
  assert.equal(lost.statusCode, 404);
});

test("messages are removed singly and by their transaction", async () => {
  const to = recipient(person(), fcm([token(), token()]));
  const transaction = await trigger(to);
  const [first] = await messages(transaction, 2);
  assert.equal((await novu.messages.delete(first!.id!)).result.acknowledged, true);
  const gone = await refused(() => novu.messages.delete(first!.id!), ErrorDto);
  assert.equal(gone.statusCode, 404);
  await novu.messages.deleteByTransactionId(transaction);
  const { result: left } = await novu.messages.retrieve({ transactionId: [transaction] });
  assert.deepEqual(left.data, []);
});

test("a phone reports what became of a push", async () => {
  const requestBody = { eventType: "opened", eventId: "0".repeat(32) };
  const asked = { environmentId: await environmentId(), integrationId: await integrationId(), requestBody };
  const told = await novu.activity.track(asked);
  assert.deepEqual(told.map(({ event }) => event.status), ["opened"]);
});

test("no push integration is the primary one", async () => {
  const id = await integrationId();
  assert.equal((await refused(() => novu.integrations.setAsPrimary(id), ErrorDto)).statusCode, 400);
});

test("a variable is made, changed, read, listed and removed", async () => {
  const key = `KEY_${unique()}`;
  const values = [{ environmentId: await environmentId(), value: "x" }];
  const { result: made } = await novu.environmentVariables.create({ key, values });
  assert.deepEqual([made.key, made.isSecret, made.values[0]!.value], [key, false, "x"]);
  assert.equal((await novu.environmentVariables.update({ isSecret: true }, key)).result.isSecret, true);
  assert.ok((await novu.environmentVariables.list()).result.some((item) => item.key === key));
  assert.notEqual((await novu.environmentVariables.retrieve(key)).result.values[0]!.value, "x");
  assert.deepEqual((await novu.environmentVariables.usage(key)).result.workflows, []);
  await novu.environmentVariables.delete(key);
  await assert.rejects(novu.environmentVariables.retrieve(key), { statusCode: 404 });
});
