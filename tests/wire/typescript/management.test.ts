/** Workflows, integrations and environments. */

import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { test } from "node:test";

import { ErrorDto } from "@novu/api/models/errors/index.js";

import { novu, person, refused, unique, waitFor } from "./support.ts";

function serviceAccount(): string {
  const { privateKey } = generateKeyPairSync("rsa", {
    modulusLength: 2048,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
  return JSON.stringify({
    type: "service_account",
    project_id: "nowhere",
    client_email: "push@nowhere.example",
    private_key: privateKey,
  });
}

test("a workflow is created, read, replaced, patched, listed and deleted", async () => {
  const workflowId = `flow-${unique()}`;
  const controlValues = { subject: "s", body: "b" };
  const step = { stepId: "push-step", name: "Push", type: "push" as const, controlValues };
  const given = { workflowId, name: "Flow", active: true, tags: ["a"], steps: [step] };
  const { result: made } = await novu.workflows.create(given);
  assert.deepEqual([made.workflowId, made.status, made.tags], [workflowId, "ACTIVE", ["a"]]);

  for (const name of [workflowId, made.id, made.slug]) {
    assert.equal((await novu.workflows.get(name)).result.id, made.id);
  }

  const steps = [{ ...step, id: made.steps[0]!.id }];
  const change = { name: "Flow 2", steps, preferences: {}, active: true };
  const { result: changed } = await novu.workflows.update(change, workflowId);
  assert.deepEqual([changed.id, changed.name, changed.steps.length], [made.id, "Flow 2", 1]);
  assert.equal(changed.steps[0]!.id, made.steps[0]!.id);

  const { result: patched } = await novu.workflows.patch({ active: false, tags: ["b"] }, workflowId);
  assert.deepEqual([patched.name, patched.status, patched.tags], ["Flow 2", "INACTIVE", ["b"]]);
  const idle = await novu.trigger({ workflowId, to: person() });
  assert.deepEqual([idle.result.acknowledged, idle.result.status], [true, "trigger_not_active"]);

  const { result: listed } = await novu.workflows.list({ query: workflowId, limit: 5, offset: 0 });
  assert.deepEqual(
    listed.workflows.map((item) => [item.id, item.stepTypeOverviews]),
    [[made.id, ["push"]]],
  );
  assert.equal(listed.totalCount, 1);

  await novu.workflows.delete(workflowId);
  assert.equal((await refused(() => novu.workflows.get(workflowId), ErrorDto)).statusCode, 404);
});

test("a workflow that is replaced without active is switched off", async () => {
  const workflowId = `flow-${unique()}`;
  await novu.workflows.create({ workflowId, name: "Flow", active: true, steps: [] });
  const { result } = await novu.workflows.update({ name: "Flow", steps: [], preferences: {} }, workflowId);
  assert.equal(result.active, false);
  await novu.workflows.delete(workflowId);
});

test("an integration is created, updated, listed and deleted, its secret hidden", async (context) => {
  const identifier = `spare-${unique()}`;
  const secret = serviceAccount();
  const { result: made } = await novu.integrations.create({
    name: "Spare",
    identifier,
    providerId: "fcm",
    channel: "push",
    credentials: { serviceAccount: secret },
    active: false,
  });
  const id = made.id ?? "";
  let present = true;
  // Left active, the newest integration would take the tokens of the other tests.
  context.after(async () => present && (await novu.integrations.delete(id)));
  assert.deepEqual(
    [made.identifier, made.providerId, made.channel, made.active],
    [identifier, "fcm", "push", false],
  );
  const shown = made.credentials?.serviceAccount ?? "";
  assert.ok(shown.length > 0 && shown.length < 20, "the secret is not masked");
  const { result: active } = await novu.integrations.listActive();
  assert.ok(!active.some((item) => item.id === id));

  // An active integration needs working credentials, so a mask that replaced the secret is refused here.
  const change = { name: "Spare 2", active: true, credentials: { serviceAccount: shown } };
  const { result: changed } = await novu.integrations.update(change, id);
  assert.deepEqual([changed.id, changed.name, changed.active], [id, "Spare 2", true]);
  assert.equal(changed.credentials?.serviceAccount, shown);

  for (const { result } of [await novu.integrations.list(), await novu.integrations.listActive()]) {
    assert.equal(result.find((item) => item.id === id)?.credentials?.serviceAccount, shown);
    assert.ok(!JSON.stringify(result).includes("PRIVATE KEY"));
  }

  const { result: left } = await novu.integrations.delete(id);
  present = false;
  const identifiers = left.map((item) => item.identifier);
  assert.ok(!identifiers.includes(identifier));
  for (const kept of ["fcm-older", "fcm-newer", "hook"]) assert.ok(identifiers.includes(kept));
});

test("a subscriber chooses what to get, for everything and for a workflow", async () => {
  const subscriberId = `person-${unique()}`;
  await novu.subscribers.create({ subscriberId });
  const off = { channels: { push: false }, schedule: { isEnabled: false } };
  const { result: quiet } = await novu.subscribers.preferences.update(off, subscriberId);
  assert.deepEqual([quiet.global.channels.push, quiet.global.schedule?.isEnabled], [false, false]);
  const bulk = { preferences: [{ workflowId: "welcome", channels: { push: true } }] };
  const { result: chosen } = await novu.subscribers.preferences.bulkUpdate(bulk, subscriberId);
  assert.deepEqual(chosen.map(({ workflow, channels }) => [workflow?.identifier, channels.push]), [
    ["welcome", true],
  ]);
  const { result: all } = await novu.subscribers.preferences.list({ subscriberId, criticality: "all" });
  const welcome = all.workflows.find(({ workflow }) => workflow.identifier === "welcome");
  assert.equal(welcome?.channels.push, true);
  await assert.rejects(novu.subscribers.preferences.list({ subscriberId: "nobody" }), { statusCode: 404 });
});

test("the environments are listed with their keys", async () => {
  const { result } = await novu.environments.list();
  assert.deepEqual(result.map(({ name, type }) => [name, type]).sort(), [
    ["Development", "dev"],
    ["Production", "prod"],
  ]);
  const own = result.find(({ type }) => type === "dev");
  assert.ok(own?.apiKeys?.some(({ key }) => key === process.env.SERVER_KEY));
});

test("a workflow tells when it was last triggered, and an integration is configured by itself", async () => {
  const workflowId = `flow-${unique()}`;
  const step = { stepId: "push", name: "Push", type: "push" as const, controlValues: { subject: "s", body: "b" } };
  const { result: made } = await novu.workflows.create({ workflowId, name: "Flow", active: true, steps: [step] });
  assert.equal(made.lastTriggeredAt, null);
  await novu.trigger({ workflowId, to: person() });
  await waitFor("the time of the trigger", async () => {
    return (await novu.workflows.get(workflowId)).result.lastTriggeredAt ?? undefined;
  });

  const given = { name: "Mine", providerId: "fcm", channel: "push" as const, active: false };
  const { result: integration } = await novu.integrations.create(given);
  const { result } = await novu.integrations.integrationsControllerAutoConfigureIntegration(integration.id!);
  assert.equal(result.success, true);
  await novu.integrations.delete(integration.id!);
});
