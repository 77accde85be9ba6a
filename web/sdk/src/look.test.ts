import { expect, it, vi } from "vitest";
import { button, kefu, root } from "./page.fixture";

vi.mock("./look", () => ({ LOOK: { position: "bottom-left", css: ".launcher{color:#fff}", icon: "M1 2" } }));

const rules = () => [...root().adoptedStyleSheets[0]!.cssRules].map(({ cssText }) => cssText.replaceAll(" ", "")).join("");
const strokes = () => root().querySelector("path")!.getAttribute("d");

it("draws the launcher as the shop looks whose script it is", () => {
  kefu.init({ shop: "demo" });
  expect(rules()).toContain("color:#fff");
  expect(strokes()).toBe("M1 2");
  expect(root().querySelector(".left")).not.toBeNull();
  button().click();
  expect(strokes()).not.toBe("M1 2");
});

it("leaves the place to the page, where that says one", () => {
  kefu.init({ position: "bottom-right" });
  expect(root().querySelector(".left")).toBeNull();
});
