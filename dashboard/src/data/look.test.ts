import { expect, test } from "vitest";
import { lookOf } from "./look";

const shown = { image: "https://cdn.example.com/moth.jpg?size=2", icon: "ic_bell", badge: 3 };

test("iOS shows no icon of a push, a browser no number", () => {
  expect(lookOf("ios", shown)).toEqual({ image: { from: "cdn.example.com/moth.jpg" }, badge: "3" });
  expect(lookOf("android", shown)).toEqual({ image: { from: "cdn.example.com/moth.jpg" }, icon: { from: "ic_bell" }, badge: "3" });
  expect(lookOf("web", shown)).toEqual({ image: { from: "cdn.example.com/moth.jpg" }, icon: { from: "ic_bell" } });
});
test("a picture that the address holds itself is shown", () => expect(lookOf("web", { icon: "data:image/png;base64,AA" })).toEqual({ icon: { src: "data:image/png;base64,AA" } }));
test("what isn't given, or clears the number, isn't shown", () => expect(lookOf("ios", { image: "", icon: null, badge: "0" })).toEqual({}));
