import { expect, test } from "vitest";
import type { Card } from "../../sdk/src/protocol";
import { pageOf } from "./page";

test("what the visitor looks at is told as long as it may be, without the picture", () => {
  const card: Card = { kind: "product", title: "C1".repeat(200), image: "https://shop.example/c1.png", detail: "€1,299" };
  expect(pageOf(card)).toEqual({ kind: "product", title: "C1".repeat(100), url: "", detail: "€1,299" });
});

test("what is no card is told as nothing", () => {
  expect(pageOf(null)).toBeNull();
  for (const strange of [{ kind: "car", title: "x" }, { kind: "order" }, { kind: "order", title: 7 }, { cart: 99.5 }]) {
    expect(pageOf(strange as unknown as Card)).toBeNull();
  }
});
