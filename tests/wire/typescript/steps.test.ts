/** Workflows whose steps take time: made, run, cancelled. */

import assert from "node:assert/strict";
import { test } from "node:test";

import type { CreateWorkflowDto } from "@novu/api/models/components/index.js";

import { arrival, arrivals, fcm, novu, person, recipient, token, unique, waitFor } from "./support.ts";

type Steps = CreateWorkflowDto["steps"];

/** A workflow of these steps and a push behind them, for as long as a test lasts. */
async function flow(context: { after: (end: () => Promise<unknown>) => void }, steps: Steps, body = "{{payload.text}}") {
  const workflowId = `flow-${unique()}`;
  const push = { name: "Push", stepId: "push", type: "push", controlValues: { subject: "News", body } } as const;
  const { result } = await novu.workflows.create({
    name: workflowId,
    workflowId,
    active: true,
    steps: [...steps, push] as Steps,
  });
  context.after(() => novu.workflows.delete(workflowId));
  assert.deepEqual(
    result.steps.map(({ type }) => type),
    [...steps.map(({ type }) => type), "push"],
  );
  return workflowId;
}

async function triggered(workflowId: string, to: ReturnType<typeof recipient>, more = {}): Promise<string> {
  const { result } = await novu.trigger({ workflowId, to, payload: { text: "hi" }, ...more });
  assert.equal(result.status, "processed");
  return result.transactionId ?? "";
}

/** Once the jobs behind the trigger stand like this. */
function standing(transactionId: string, statuses: string[]) {
  return waitFor(`${transactionId} to be ${statuses}`, async () => {
    const { result } = await novu.notifications.list({ transactionId });
    const jobs = (result.data[0]?.jobs ?? []).slice(1);
    return jobs.map(({ status }) => status).join() === statuses.join() ? jobs : undefined;
  });
}

function step(type: string, controlValues: Record<string, unknown>): Steps[number] {
  return { name: type, stepId: `${type}-step`, type, controlValues } as Steps[number];
}

test("a delay is waited for", async (context) => {
  const workflowId = await flow(context, [step("delay", { type: "regular", amount: 1, unit: "seconds" })]);
  const phone = token();
  const transactionId = await triggered(workflowId, recipient(person(), fcm([phone])));
  const jobs = await standing(transactionId, ["completed", "completed"]);
  assert.equal(jobs[0]?.executionDetails?.at(-1)?.detail, "Delay is finished");
  assert.equal((await arrival(phone)).message.notification.body, "hi");
});

test("a delay is cancelled", async (context) => {
  const workflowId = await flow(context, [step("delay", { type: "regular", amount: 1, unit: "hours" })]);
  const phone = token();
  const transactionId = await triggered(workflowId, recipient(person(), fcm([phone])));
  await standing(transactionId, ["delayed", "pending"]);
  assert.equal((await novu.cancel(transactionId)).result, true);
  await standing(transactionId, ["canceled", "canceled"]);
  assert.deepEqual(await arrivals(phone), []);
});

test("a digest gathers", async (context) => {
  const gather = step("digest", { type: "regular", amount: 2, unit: "seconds", digestKey: "payload.text" });
  const workflowId = await flow(context, [gather], "{{step.total_count}} of {{step.events[1].payload.text}}");
  const phone = token();
  const to = recipient(person(), fcm([phone]));
  const [first, second] = [await triggered(workflowId, to), await triggered(workflowId, to)];
  const jobs = await standing(first, ["completed", "completed"]);
  assert.equal(jobs[0]?.digest?.type, "regular");
  await standing(second, ["merged", "merged"]);
  assert.equal((await arrival(phone)).message.notification.body, "2 of hi");
});

test("a throttle holds back", async (context) => {
  const limit = step("throttle", { type: "fixed", amount: 1, unit: "minutes", threshold: 1 });
  const workflowId = await flow(context, [limit]);
  const phone = token();
  const to = recipient(person(), fcm([phone]));
  await standing(await triggered(workflowId, to), ["completed", "completed"]);
  await standing(await triggered(workflowId, to), ["skipped", "skipped"]);
  assert.equal((await arrival(phone)).message.notification.body, "hi");
});

test("a request and a custom step are heard of", async (context) => {
  const url = new URL("/v1/health-check", process.env.SERVER_URL).href;
  const asked = step("http_request", { method: "GET", url });
  const own = step("custom", { custom: { greeting: "Hello {{payload.text}}" } });
  const said = "{{steps['http_request-step'].statusCode}} {{steps['custom-step'].greeting}}";
  const workflowId = await flow(context, [asked, own], said);
  const phone = token();
  await triggered(workflowId, recipient(person(), fcm([phone])));
  assert.equal((await arrival(phone)).message.notification.body, "200 Hello hi");
});

test("a push follows only where the one before did not arrive", async (context) => {
  const first = step("push", { subject: "First", body: "first" });
  const skip = { "==": [{ var: "steps.push-step.delivered" }, false] };
  const workflowId = await flow(context, [first, step("delay", { type: "regular", amount: 1, unit: "hours", skip })]);
  const phone = token();
  const transactionId = await triggered(workflowId, recipient(person(), fcm([phone])));
  await standing(transactionId, ["completed", "skipped", "completed"]);
  assert.equal((await arrivals(phone)).length, 2);
});

test("a trigger waits for its time", async (context) => {
  const workflowId = await flow(context, []);
  const overrides = { push: { sendAt: "2027-01-01T00:00:00Z" } };
  const transactionId = await triggered(workflowId, recipient(person(), fcm([token()])), { overrides });
  await standing(transactionId, ["pending"]);
  assert.equal((await novu.cancel(transactionId)).result, true);
  await standing(transactionId, ["canceled"]);
});
