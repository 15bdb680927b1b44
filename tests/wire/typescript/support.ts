/** What the flows share: the SDK's clients, fresh names, and how to wait for what is on its way. */

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { appendFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";

import { Novu } from "@novu/api";
import { HTTPClient } from "@novu/api/lib/http.js";
import type { RetryConfig } from "@novu/api/lib/retries.js";
import type {
  ActivityNotificationResponseDto,
  MessageResponseDto,
  SubscriberChannelDto as Channel,
  SubscriberPayloadDto,
  TriggerEventRequestDto,
} from "@novu/api/models/components/index.js";

const PATIENCE = 15_000; // ms

/** An accepted push, as the emulators tell it. */
export interface Arrival {
  provider: string;
  token: string;
  message: Record<string, any>;
}

/** How often a call is tried again: never, or as the SDK does it, only sooner. */
const RETRIES: Record<string, RetryConfig> = {
  off: { strategy: "none" },
  on: {
    strategy: "backoff",
    backoff: { initialInterval: 100, maxInterval: 500, exponent: 1.5, maxElapsedTime: 2_000 },
    retryConnectionErrors: true,
  },
};

/** Novu's SDK with the key of the tests or another one. */
export function client(secretKey = setting("SERVER_KEY")): Novu {
  const httpClient = new HTTPClient();
  httpClient.addHook("response", (response, request) => {
    const { method, url } = request;
    const call = { sdk: "TypeScript", method, path: new URL(url).pathname, status: response.status };
    appendFileSync(setting("CALL_LOG"), `${JSON.stringify(call)}\n`);
  });
  const retryConfig = RETRIES[setting("RETRIES")];
  return new Novu({ secretKey, serverURL: setting("SERVER_URL"), retryConfig, httpClient });
}

export const novu = client();

/** A device token nobody else has; a word in it asks the emulator for a fault. */
export function token(word = "phone"): string {
  return `${word}-${unique()}`;
}

/** A subscriber id nobody else has, with everything in it that a path has to quote. */
export function person(): string {
  return `auth0|s 1/é-${unique()}`;
}

export function unique(): string {
  return randomBytes(8).toString("hex");
}

/** Tokens of FCM, as triggers and the credential calls take them. */
export function fcm(deviceTokens: string[], integrationIdentifier?: string): Channel {
  return channel("fcm", deviceTokens, integrationIdentifier);
}

/** Tokens of any provider. */
export function channel(
  providerId: Channel["providerId"],
  deviceTokens: string[],
  integrationIdentifier?: string,
): Channel {
  return { providerId, integrationIdentifier, credentials: { deviceTokens } };
}

/** A recipient who brings their devices along. */
export function recipient(subscriberId: string, ...channels: Channel[]): SubscriberPayloadDto {
  return { subscriberId, channels };
}

/** A subscriber who exists already. */
export async function created(): Promise<string> {
  const subscriberId = person();
  await novu.subscribers.create({ subscriberId });
  return subscriberId;
}

/** Trigger `welcome`; the transaction's id. */
export async function trigger(
  to: TriggerEventRequestDto["to"],
  more: Partial<TriggerEventRequestDto> = {},
): Promise<string> {
  const { result } = await novu.trigger({ workflowId: "welcome", to, payload: { text: "hi" }, ...more });
  assert.equal(result.acknowledged, true);
  assert.equal(result.status, "processed");
  assert.ok(result.transactionId);
  return result.transactionId;
}

/** What each integration holds for a subscriber. */
export async function tokensOf(subscriberId: string): Promise<Record<string, string[]>> {
  const { result } = await novu.subscribers.retrieve(subscriberId);
  const held = (result.channels ?? []).map(({ integrationIdentifier, credentials }) => [
    integrationIdentifier,
    credentials.deviceTokens ?? [],
  ]);
  return Object.fromEntries(held);
}

/** The messages of a transaction once `count` of them have their final outcome. */
export function messages(transactionId: string, count: number): Promise<MessageResponseDto[]> {
  return waitFor(`${count} messages of ${transactionId}`, async () => {
    const { result } = await novu.messages.retrieve({ transactionId: [transactionId], limit: 50 });
    const done = result.data.length === count && result.data.every((message) => message.status !== "warning");
    return done ? result.data : undefined;
  });
}

/** The first notification of a transaction once its last job has ended. */
export function activity(transactionId: string): Promise<ActivityNotificationResponseDto> {
  return waitFor(`the end of ${transactionId}`, async () => {
    const { result } = await novu.notifications.list({ transactionId });
    const status = result.data[0]?.jobs?.at(-1)?.status;
    return status === undefined || status === "pending" || status === "running" ? undefined : result.data[0];
  });
}

/** The one push that a device got; repeats under the same message id count once. */
export async function arrival(device: string): Promise<Arrival> {
  const found = await waitFor(`a push to ${device}`, async () => {
    const arrived = await arrivals(device);
    return arrived.length > 0 ? arrived : undefined;
  });
  assert.equal(new Set(found.map(messageId)).size, 1, "the device shows more than one push");
  return found[0]!;
}

/** Everything that providers accepted for a device so far. */
export async function arrivals(device: string): Promise<Arrival[]> {
  const answer = await fetch(new URL("/_clarion/messages", setting("EMULATOR_URL")));
  assert.equal(answer.status, 200);
  return ((await answer.json()) as Arrival[]).filter((entry) => entry.token === device);
}

/** The first answer that is not undefined, asked for again and again. */
export async function waitFor<T>(what: string, found: () => Promise<T | undefined>): Promise<T> {
  const deadline = Date.now() + PATIENCE;
  for (;;) {
    const answer = await found();
    if (answer !== undefined) return answer;
    assert.ok(Date.now() < deadline, `${what} did not come in time`);
    await pause(20);
  }
}

/** The error of this class that a call must end in. */
export async function refused<T extends Error>(
  call: () => Promise<unknown>,
  kind: new (...given: any[]) => T,
): Promise<T> {
  const outcome = await call().then(
    () => "no error",
    (error: unknown) => error,
  );
  assert.ok(outcome instanceof kind, `expected ${kind.name}, got ${outcome}`);
  return outcome;
}

function messageId(arrived: Arrival): string {
  const place = arrived.provider === "fcm" ? "data" : "payload";
  const id = arrived.message[place]?.__nvMessageId;
  assert.ok(id, "the push carries no message id");
  return id;
}

function setting(name: string): string {
  const value = process.env[name];
  assert.ok(value, `${name} is not set: run these tests through pytest, tests/wire/test_typescript_sdk.py`);
  return value;
}
