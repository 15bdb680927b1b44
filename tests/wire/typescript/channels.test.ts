/** Channel connections and channel endpoints. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { ErrorDto } from "@novu/api/models/errors/index.js";

import { created, novu, person, refused, unique } from "./support.ts";

test("a connection is made, read, changed, listed and removed", async () => {
  const [subscriberId, id] = [await created(), `acme-${unique()}`];
  const given = {
    integrationIdentifier: "hook",
    subscriberId,
    context: { tenant: id },
    workspace: { id: "T1", name: "Acme" },
    auth: { accessToken: "xoxb-0123456789" },
  };
  const { result: made } = await novu.channelConnections.create(given);
  assert.deepEqual([made.subscriberId, made.contextKeys], [subscriberId, [`tenant:${id}`]]);
  const taken = await refused(() => novu.channelConnections.create(given), ErrorDto);
  assert.equal(taken.statusCode, 409);

  assert.deepEqual((await novu.channelConnections.retrieve(made.identifier)).result, made);
  const change = { workspace: { id: "T2" }, auth: { accessToken: "xoxb-9876543210" } };
  const { result: changed } = await novu.channelConnections.update(change, made.identifier);
  assert.equal(changed.workspace.id, "T2");

  const { result: page } = await novu.channelConnections.list({ contextKeys: [`tenant:${id}`], limit: 5 });
  assert.deepEqual([page.data.map((item) => item.identifier), page.totalCount], [[made.identifier], 1]);

  await novu.channelConnections.delete(made.identifier);
  const gone = await refused(() => novu.channelConnections.retrieve(made.identifier), ErrorDto);
  assert.equal(gone.statusCode, 404);
});

test("an endpoint is made, read, changed, listed and removed", async () => {
  const subscriberId = person();
  const given = {
    integrationIdentifier: "hook",
    subscriberId,
    createSubscriberIfMissing: true,
    type: "slack_user" as const,
    endpoint: { userId: "U1" },
  };
  const { result: made } = await novu.channelEndpoints.create(given);
  assert.deepEqual([made.type, made.subscriberId, made.endpoint], ["slack_user", subscriberId, { userId: "U1" }]);
  assert.deepEqual((await novu.channelEndpoints.retrieve(made.identifier)).result, made);

  const { result: changed } = await novu.channelEndpoints.update({ endpoint: { userId: "U2" } }, made.identifier);
  assert.deepEqual(changed.endpoint, { userId: "U2" });

  const { result: page } = await novu.channelEndpoints.list({ subscriberId });
  assert.deepEqual([page.data.map((item) => item.identifier), page.totalCount], [[made.identifier], 1]);

  await novu.channelEndpoints.delete(made.identifier);
  const gone = await refused(() => novu.channelEndpoints.retrieve(made.identifier), ErrorDto);
  assert.equal(gone.statusCode, 404);
});
