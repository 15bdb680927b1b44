import { expect, test } from "vitest";
import { textOf } from "./files";

test("a text file is its text", () => expect(textOf(new TextEncoder().encode("-----BEGIN é"))).toBe("-----BEGIN é"));
test("a binary file is base64", () => expect(textOf(new Uint8Array([0x30, 0x82, 0xff]))).toBe("MIL/"));
