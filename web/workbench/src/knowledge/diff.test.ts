import { describe, expect, it } from "vitest";
import { diff, nearby } from "./diff";

const told = (before: string, after: string) => diff(before, after)?.map(({ sign, text }) => sign + text);

describe("diff", () => {
  it("tells what was taken away and what came, in the order of the text", () => {
    expect(told("a\nb\nc", "a\nx\nc\nd")).toEqual([" a", "-b", "+x", " c", "+d"]);
    expect(told("same", "same")).toEqual([" same"]);
    expect(told("a\na\nb", "a\nb\nb")).toEqual([" a", "-a", "+b", " b"]);
  });

  it("gives both texts back", () => {
    for (const [before, after] of [["a\nb\nc\nd", "c\nd\na\nb"], ["", "x\ny"], ["x\ny\nz", "y"]] as const) {
      const lines = diff(before, after) ?? [];
      const side = (without: string) => lines.filter(({ sign }) => sign !== without).map(({ text }) => text).join("\n");
      expect([side("+"), side("-")]).toEqual([before, after]);
    }
  });

  it("does not try what would take too long, but finds a small change in a long text", () => {
    const many = Array.from({ length: 5000 }, (_, at) => `line ${at}`);
    expect(diff(many.join("\n"), many.toReversed().join("\n"))).toBeUndefined();
    const changed = diff(many.join("\n"), many.with(2500, "new").join("\n")) ?? [];
    expect(nearby(changed).map(({ sign }) => sign)).toEqual([" ", " ", "-", "+", " ", " "]);
  });
});
