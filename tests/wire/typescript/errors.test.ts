/** Refusals arrive as the SDK's typed errors, so that callers can read them. */

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  ErrorDto,
  PayloadValidationExceptionDto,
  SubscriberResponseDto,
  ValidationErrorDto,
} from "@novu/api/models/errors/index.js";

import { channel, client, fcm, novu, person, refused, token } from "./support.ts";

test("creating what exists with failIfExists is a conflict that carries the subscriber", async () => {
  const subscriberId = person();
  await novu.subscribers.create({ subscriberId, firstName: "Ada" }, true);
  const again = () => novu.subscribers.create({ subscriberId, firstName: "Eve" }, true);
  const error = await refused(again, SubscriberResponseDto);
  assert.equal(error.statusCode, 409);
  assert.deepEqual([error.subscriberId, error.data$.firstName], [subscriberId, "Ada"]);
  assert.ok(error.headers.get("retry-after"));
  assert.equal((await novu.subscribers.retrieve(subscriberId)).result.firstName, "Ada");
});

test("an unknown workflow is a ValidationErrorDto", async () => {
  const error = await refused(
    () => novu.trigger({ workflowId: "nothing", to: person() }),
    ValidationErrorDto,
  );
  assert.equal(error.statusCode, 422);
  assert.equal(error.data$.message, "workflow_not_found");
});

test("more than 100 recipients are a PayloadValidationExceptionDto that names the field", async () => {
  const to = Array.from({ length: 101 }, person);
  const error = await refused(
    () => novu.trigger({ workflowId: "welcome", to }),
    PayloadValidationExceptionDto,
  );
  assert.equal(error.statusCode, 400);
  assert.equal(error.type, "PAYLOAD_VALIDATION_ERROR");
  assert.deepEqual(
    error.errors.map(({ field }) => field),
    ["to"],
  );
});

test("a wrong key is an ErrorDto wherever it is used", async () => {
  const stranger = client("sk_nobody_knows_this_key");
  for (const call of [
    () => stranger.trigger({ workflowId: "welcome", to: "somebody" }),
    () => stranger.subscribers.retrieve("somebody"),
    () => stranger.subscribers.credentials.update(fcm([token()]), "somebody"),
    () => stranger.workflows.list({}),
    () => stranger.integrations.list(),
    () => stranger.environments.list(),
  ]) {
    assert.equal((await refused(call, ErrorDto)).statusCode, 401);
  }
});

test("unknown subscribers, workflows and notifications are an ErrorDto", async () => {
  for (const call of [
    () => novu.subscribers.retrieve(person()),
    () => novu.subscribers.patch({ firstName: "Bo" }, person()),
    () => novu.subscribers.delete(person()),
    () => novu.workflows.get("no-such-workflow"),
    () => novu.notifications.retrieve("no-such-notification"),
  ]) {
    assert.equal((await refused(call, ErrorDto)).statusCode, 404);
  }
});

test("tokens for an unknown subscriber or without an integration are an ErrorDto", async () => {
  const { credentials } = novu.subscribers;
  const subscriberId = person();
  const unknown = await refused(() => credentials.update(fcm([token()]), subscriberId), ErrorDto);
  assert.equal(unknown.statusCode, 400);
  await novu.subscribers.create({ subscriberId });
  for (const given of [fcm([token()], "no-such-integration"), channel("apns", [token()])]) {
    const error = await refused(() => credentials.update(given, subscriberId), ErrorDto);
    assert.equal(error.statusCode, 400);
  }
});
