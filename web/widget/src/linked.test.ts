import { describe, expect, it } from "vitest";
import { linked } from "./linked";

const hrefs = (text: string) => linked(text).flatMap((part) => part.href ?? []);

describe("addresses in plain text", () => {
  it("can be followed, without the punctuation around them", () => {
    expect(hrefs("See https://shop.example/a?b=1, or (http://x.example/c).")).toEqual(["https://shop.example/a?b=1", "http://x.example/c"]);
    expect(hrefs("请看https://shop.example/a。谢谢")).toEqual(["https://shop.example/a"]);
  });

  it("are only of the web, and no character gets lost", () => {
    const text = "javascript:alert(1) https:// x@y.example https://a.example/z end";
    expect(hrefs(text)).toEqual(["https://a.example/z"]);
    expect(linked(text).map((part) => part.text).join("")).toBe(text);
  });
});
