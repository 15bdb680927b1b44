/** Every operation tells a key that nobody knows as an error of its own. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { NovuError } from "@novu/api/models/errors/index.js";

import { channel, client, refused } from "./support.ts";

const stranger = client("sk_nobody_knows_this_key");
const id = "0".repeat(32);
const given = channel("fcm", ["phone"]);
const preference = { workflowId: id, channels: { push: true } };
const step = { name: "Push", type: "push" as const };
const { credentials, preferences } = stranger.subscribers;
const { subscriptions } = stranger.topics;
const { channelConnections, channelEndpoints, contexts, environmentVariables, layouts, translations } = stranger;
const translation = { resourceType: "workflow" as const, resourceId: id, locale: "de" };
const link = { workspace: { id: "T1" }, auth: { accessToken: "xoxb" } };
const place = { integrationIdentifier: id, subscriberId: id, type: "slack_user" as const };
const files = [{ fileName: "de.json", content: new TextEncoder().encode("{}") }];

const CALLS: Record<string, () => Promise<unknown>> = {
  trigger: () => stranger.trigger({ workflowId: id, to: id }),
  triggerBulk: () => stranger.triggerBulk({ events: [{ workflowId: id, to: id }] }),
  triggerBroadcast: () => stranger.triggerBroadcast({ name: id, payload: {} }),
  cancel: () => stranger.cancel(id),
  "subscribers.search": () => stranger.subscribers.search({}),
  "subscribers.create": () => stranger.subscribers.create({ subscriberId: id }),
  "subscribers.createBulk": () => stranger.subscribers.createBulk({ subscribers: [{ subscriberId: id }] }),
  "subscribers.retrieve": () => stranger.subscribers.retrieve(id),
  "subscribers.patch": () => stranger.subscribers.patch({ firstName: "Ada" }, id),
  "subscribers.delete": () => stranger.subscribers.delete(id),
  "credentials.update": () => credentials.update(given, id),
  "credentials.append": () => credentials.append(given, id),
  "credentials.delete": () => credentials.delete(id, "fcm"),
  "preferences.list": () => preferences.list({ subscriberId: id }),
  "preferences.update": () => preferences.update({ channels: { push: true } }, id),
  "preferences.bulkUpdate": () => preferences.bulkUpdate({ preferences: [preference] }, id),
  "subscribers.topics.list": () => stranger.subscribers.topics.list({ subscriberId: id }),
  "topics.list": () => stranger.topics.list({}),
  "topics.create": () => stranger.topics.create({ key: id }),
  "topics.get": () => stranger.topics.get(id),
  "topics.update": () => stranger.topics.update({ name: "News" }, id),
  "topics.delete": () => stranger.topics.delete(id),
  "subscriptions.list": () => subscriptions.list({ topicKey: id }),
  "subscriptions.create": () => subscriptions.create({ subscriptions: [id] }, id),
  "subscriptions.delete": () => subscriptions.delete({ subscriptions: [id] }, id),
  "subscriptions.getSubscription": () => subscriptions.getSubscription(id, id),
  "subscriptions.update": () =>
    subscriptions.update({ topicKey: id, identifier: id, updateTopicSubscriptionRequestDto: {} }),
  "topics.subscribers.retrieve": () => stranger.topics.subscribers.retrieve(id, id),
  "integrations.list": () => stranger.integrations.list(),
  "integrations.listActive": () => stranger.integrations.listActive(),
  "integrations.create": () => stranger.integrations.create({ providerId: "fcm" }),
  "integrations.update": () => stranger.integrations.update({ name: "Hook" }, id),
  "integrations.delete": () => stranger.integrations.delete(id),
  "integrations.setAsPrimary": () => stranger.integrations.setAsPrimary(id),
  "workflows.list": () => stranger.workflows.list({}),
  "workflows.create": () => stranger.workflows.create({ name: id, workflowId: id, steps: [step] }),
  "workflows.get": () => stranger.workflows.get(id),
  "workflows.update": () => stranger.workflows.update({ name: id, steps: [step], preferences: {} }, id),
  "workflows.patch": () => stranger.workflows.patch({ active: true }, id),
  "workflows.delete": () => stranger.workflows.delete(id),
  "workflows.sync": () => stranger.workflows.sync({ targetEnvironmentId: id }, id),
  "steps.retrieve": () => stranger.workflows.steps.retrieve(id, id),
  "steps.generatePreview": () =>
    stranger.workflows.steps.generatePreview({ workflowId: id, stepId: id, generatePreviewRequestDto: {} }),
  "messages.retrieve": () => stranger.messages.retrieve({}),
  "messages.delete": () => stranger.messages.delete(id),
  "messages.deleteByTransactionId": () => stranger.messages.deleteByTransactionId(id),
  "notifications.list": () => stranger.notifications.list({}),
  "notifications.retrieve": () => stranger.notifications.retrieve(id),
  "activity.track": () => stranger.activity.track({ environmentId: id, integrationId: id, requestBody: {} }),
  "environments.list": () => stranger.environments.list(),
  "environments.create": () => stranger.environments.create({ name: "Staging", color: "#102030" }),
  "environments.update": () => stranger.environments.update({ name: "Staging" }, id),
  "environments.delete": () => stranger.environments.delete(id),
  "environments.getTags": () => stranger.environments.getTags(id),
  "environments.publish": () => stranger.environments.publish({}, id),
  "environments.diff": () => stranger.environments.diff({}, id),
  "properties.updateOnlineFlag": () => stranger.subscribers.properties.updateOnlineFlag({ isOnline: true }, id),
  "integrations.autoConfigure": () => stranger.integrations.integrationsControllerAutoConfigureIntegration(id),
  "environmentVariables.list": () => environmentVariables.list(),
  "environmentVariables.create": () => environmentVariables.create({ key: "HOST" }),
  "environmentVariables.retrieve": () => environmentVariables.retrieve("HOST"),
  "environmentVariables.update": () => environmentVariables.update({ isSecret: true }, "HOST"),
  "environmentVariables.delete": () => environmentVariables.delete("HOST"),
  "environmentVariables.usage": () => environmentVariables.usage("HOST"),
  "contexts.list": () => contexts.list({}),
  "contexts.create": () => contexts.create({ type: "tenant", id }),
  "contexts.retrieve": () => contexts.retrieve(id, "tenant"),
  "contexts.update": () => contexts.update({ id, type: "tenant", updateContextRequestDto: { data: {} } }),
  "contexts.delete": () => contexts.delete(id, "tenant"),
  "channelConnections.list": () => channelConnections.list({}),
  "channelConnections.create": () => channelConnections.create({ ...link, integrationIdentifier: id }),
  "channelConnections.retrieve": () => channelConnections.retrieve(id),
  "channelConnections.update": () => channelConnections.update(link, id),
  "channelConnections.delete": () => channelConnections.delete(id),
  "channelEndpoints.list": () => channelEndpoints.list({}),
  "channelEndpoints.create": () => channelEndpoints.create({ ...place, endpoint: { userId: "U1" } }),
  "channelEndpoints.retrieve": () => channelEndpoints.retrieve(id),
  "channelEndpoints.update": () => channelEndpoints.update({ endpoint: { userId: "U1" } }, id),
  "channelEndpoints.delete": () => channelEndpoints.delete(id),
  "layouts.list": () => layouts.list({}),
  "layouts.create": () => layouts.create({ layoutId: id, name: "Frame" }),
  "layouts.retrieve": () => layouts.retrieve(id),
  "layouts.update": () => layouts.update({ name: "Frame" }, id),
  "layouts.delete": () => layouts.delete(id),
  "layouts.duplicate": () => layouts.duplicate({ name: "Copy" }, id),
  "layouts.generatePreview": () => layouts.generatePreview({}, id),
  "layouts.usage": () => layouts.usage(id),
  "translations.create": () => translations.create({ ...translation, content: {} }),
  "translations.upload": () => translations.upload({ resourceType: "workflow", resourceId: id, files }),
  "translations.master.retrieve": () => translations.master.retrieve("de"),
  "translations.master.import": () => translations.master.import({ locale: "de", masterJson: {} }),
  "translations.master.upload": () => translations.master.upload({ file: new File(["{}"], "de.json") }),
  "translations.groups.retrieve": () => translations.groups.retrieve("workflow", id),
  "translations.retrieve": () => translations.retrieve(translation),
  "translations.groups.delete": () => translations.groups.delete("workflow", id),
  "translations.delete": () => translations.delete(translation),
};

for (const [name, call] of Object.entries(CALLS)) {
  test(`${name} refuses an unknown key`, async () => {
    assert.equal((await refused(call, NovuError)).statusCode, 401);
  });
}
