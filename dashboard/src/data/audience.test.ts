import { expect, test } from "vitest";
import { audienceOf } from "./audience";

const count = (totalCount: number, totalCountCapped = false) => ({ totalCount, totalCountCapped });

test("one list is told as it is", () => expect(audienceOf([count(5)])).toEqual({ people: 5, more: false, fewer: false }));
test("who is in two topics is counted twice and told so", () => expect(audienceOf([count(5), count(2)])).toEqual({ people: 7, more: false, fewer: true }));
test("an empty topic doubles nobody", () => expect(audienceOf([count(5), count(0)]).fewer).toBe(false));
test("counting that ended tells of more", () => expect(audienceOf([count(50_000, true)]).more).toBe(true));
test("nobody is nobody", () => expect(audienceOf([])).toEqual({ people: 0, more: false, fewer: false }));
