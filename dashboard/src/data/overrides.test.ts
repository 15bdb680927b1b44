import { describe, expect, it } from "vitest";
import { withWritten, writtenOf } from "./overrides";

const FCM = { fcm: { android: { priority: "high" } } };

describe("overrides of providers", () => {
  it("are written out, with what was chosen and is empty yet", () => {
    expect(writtenOf(FCM, ["apns", "fcm"])).toEqual([
      ["fcm", JSON.stringify(FCM.fcm, null, 2)],
      ["apns", ""],
    ]);
  });
  it("change with what is written of one", () => {
    expect(withWritten(FCM, "apns", '{"aps": {"badge": 1}}')).toEqual({ ...FCM, apns: { aps: { badge: 1 } } });
    expect(withWritten(FCM, "fcm", '{"name": "{{payload.a}}"}')).toEqual({ fcm: { name: "{{payload.a}}" } });
  });
  it.each(["", "  ", "{}"])("go where nothing is left: %j", (written) => {
    expect(withWritten(FCM, "fcm", written)).toBeNull();
    expect(withWritten({ ...FCM, apns: { a: 1 } }, "fcm", written)).toEqual({ apns: { a: 1 } });
  });
  it.each(["{", "[]", "5"])("stay while what is written is no object: %j", (written) => {
    expect(withWritten(FCM, "fcm", written)).toBe(FCM);
  });
});
