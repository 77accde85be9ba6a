import { expect, it } from "vitest";
import { isAddress, useLetter } from "./letter";
import { ofThisTab } from "./store";

it("knows an address from what is none", () => {
  for (const right of ["anna@example.com", "a.b+c@mail.example.co.uk"]) expect(isAddress(right)).toBe(true);
  for (const wrong of ["", "anna", "anna@", "anna@host", "anna@ex ample.com", "安娜@example.com"]) expect(isAddress(wrong)).toBe(false);
});

it("keeps what was typed over a reload, and takes another id for the next letter", async () => {
  const first = useLetter("demo");
  Object.assign(first.letter, { isOpen: true, email: "anna@example.com", message: "E07" });
  await Promise.resolve();
  const { letter, sent } = useLetter("demo");
  expect(letter).toEqual(first.letter);
  sent();
  expect(letter).toMatchObject({ isOpen: false, email: "anna@example.com", message: "" });
  expect(letter.client_msg_id).not.toBe(first.letter.client_msg_id);
  ofThisTab.clear();
});
