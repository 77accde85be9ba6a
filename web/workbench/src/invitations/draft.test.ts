import { expect, test } from "vitest";
import { blank, draftOf, isSound } from "./draft";

test("an invitation is sound as the server has it", () => {
  const good = { ...blank(), text: { en: "Hello", zh: "" } };
  expect(isSound(good)).toBe(true);
  for (const wrong of [{ text: { en: " ", zh: "" } }, { seconds: "" as const }, { seconds: 1.5 }, { seconds: 3601 }, { url: "a b" }, { cart: -1 }]) {
    expect(isSound({ ...good, ...wrong }), JSON.stringify(wrong)).toBe(false);
  }
});

test("what is stored is shown with an empty field where any cart will do", () => {
  const stored = { id: "inv_a", text: { en: "Hello" }, seconds: 5, url: "/cart", cart: null, is_on: false };
  expect(draftOf({ shop: "demo", invitations: [stored], version: 1 })).toEqual([{ ...stored, text: { en: "Hello", zh: "" }, cart: "" }]);
});
