import { expect, test } from "vitest";
import { turnsOf } from "./turns";

test("what was said before is a message a line, the customer's first", () => {
  expect(turnsOf(" Do you deliver to France?\n\nYes.\nHow long? ")).toEqual([
    { role: "user", content: "Do you deliver to France?" },
    { role: "assistant", content: "Yes." },
    { role: "user", content: "How long?" },
  ]);
  expect(turnsOf(" \n")).toEqual([]);
});
