import { expect, test } from "vitest";
import { workflowText } from "../text/workflows";
import type { Schemas } from "./client";
import { verdictOf } from "./verdict";

const device = (state: Schemas["DeviceExplained"]["state"], messageId: string) => ({ state, messageId });
const explained = (...steps: Schemas["DeviceExplained"][][]): Schemas["Explanation"] => ({
  transactionId: "t",
  acceptedAt: "2026-01-01T00:00:00.000Z",
  recipients: [{ subscriberId: "ada", notificationId: "n", steps: steps.map((devices, at) => ({ stepId: `push-${at}`, decisions: [], devices })) }],
});

test("devices are counted over all steps", () =>
  expect(verdictOf(explained([device("would be sent", "1"), device("skipped", "2")], [device("would be sent", "3"), device("waiting", "4")]))).toEqual({
    sent: 2,
    waiting: 1,
    skipped: 1,
  }));
test("nobody to send to is nothing sent", () => expect(verdictOf(explained())).toEqual({ sent: 0, waiting: 0, skipped: 0 }));
test.each([
  [{ sent: 0, waiting: 0, skipped: 0 }, "Nothing would be sent. The decisions below say why."],
  [{ sent: 1, waiting: 0, skipped: 0 }, "1 push would be sent."],
  [{ sent: 2, waiting: 1, skipped: 1 }, "2 pushes would be sent, 1 would wait, 1 device would be left out."],
  [{ sent: 0, waiting: 1, skipped: 0 }, "Nothing would be sent now, 1 would wait. The decisions below say why."],
])("%o is told in words", (verdict, said) => expect(workflowText.trigger.verdict(verdict)).toBe(said));
