import { expect, test } from "vitest";
import { holdsIn, keysOf, printed, type Press } from "./keys";

const press = (key: string, held: Partial<Press> = {}): Press => ({
  key,
  code: "",
  ctrlKey: false,
  metaKey: false,
  altKey: false,
  shiftKey: false,
  ...held,
});

test("a key is called by what it types, whatever else was held for it", () => {
  expect(keysOf(press("t"))).toBe("t");
  expect(keysOf(press("T", { shiftKey: true, ctrlKey: true }))).toBe("mod+shift+t");
  expect(keysOf(press("?", { shiftKey: true }))).toBe("?");
  expect(keysOf(press("k", { metaKey: true }))).toBe("mod+k");
  expect(keysOf(press("ArrowDown", { ctrlKey: true }))).toBe("mod+ArrowDown");
});

test("Ctrl+Shift+/ is the help where that types a question mark, and the commands where it types a slash", () => {
  expect(keysOf(press("?", { shiftKey: true, ctrlKey: true }))).toBe("mod+?");
  expect(keysOf(press("/", { shiftKey: true, ctrlKey: true }))).toBe("mod+/");
});

test("a Cyrillic keyboard has the same keys in the same places", () => {
  expect(keysOf(press("л", { code: "KeyK", ctrlKey: true }))).toBe("mod+k");
  expect(keysOf(press("Enter", { code: "Enter" }))).toBe("Enter");
});

test("who types is not disturbed", () => {
  const [field, empty, desk] = [
    { isTyping: true, isEmpty: false },
    { isTyping: true, isEmpty: true },
    { isTyping: false, isEmpty: true },
  ];
  expect(["t", "?", "Escape", "alt+1"].map((keys) => holdsIn(keys, field))).toEqual([false, false, false, false]);
  expect(["t", "?"].map((keys) => holdsIn(keys, empty))).toEqual([false, false]);
  expect(["mod+shift+r", "mod+k"].map((keys) => holdsIn(keys, field))).toEqual([true, true]);
  // These move the caret, or take the last word back.
  expect(["mod+ArrowUp", "mod+z"].map((keys) => [holdsIn(keys, field), holdsIn(keys, empty)])).toEqual([[false, true], [false, true]]);
  expect(["t", "mod+ArrowUp", "Escape"].every((keys) => holdsIn(keys, desk))).toBe(true);
});

test("keys are shown as they are printed", () => {
  expect(printed("mod+shift+b").slice(1)).toEqual(["Shift", "B"]);
  expect(printed("mod+ArrowUp").at(-1)).toBe("↑");
  expect(printed("?")).toEqual(["?"]);
});
