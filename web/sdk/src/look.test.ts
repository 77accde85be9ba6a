import { expect, it, vi } from "vitest";
import { button, kefu, panel, root, started } from "./page.fixture";

const drawn = { color: "#b3261e", on: "#ffffff", hover: "#9e211a", icon: "M1 2" };
vi.mock("./look", () => ({ LOOK: { shop: "demo", position: "bottom-left", color: "#b3261e", on: "#ffffff", hover: "#9e211a", icon: "M1 2" } }));

const colors = () => panel().parentElement!.style;
const strokes = () => root().querySelector("path")!.getAttribute("d");

it("draws the launcher as the shop looks whose script it is", () => {
  kefu.init({ shop: "demo" });
  expect(colors().getPropertyValue("--c")).toBe("#b3261e");
  expect(colors().getPropertyValue("--o")).toBe("#ffffff");
  expect(strokes()).toBe("M1 2");
  expect(root().querySelector(".left")).not.toBeNull();
  button().click();
  expect(strokes()).not.toBe("M1 2");
});

it("leaves the place to the page, where that says one", () => {
  kefu.init({ position: "bottom-right" });
  expect(colors().getPropertyValue("--c")).toBe("#b3261e");
  expect(root().querySelector(".left")).toBeNull();
});

it("does not look like another shop, and learns its own look from the frame alone", () => {
  const { say } = started({ shop: "bikes" });
  expect([colors().getPropertyValue("--c"), root().querySelector(".left")]).toEqual(["", null]);
  say({ type: "look", look: drawn }, { origin: "https://evil.example" });
  say({ type: "look", look: drawn }, { source: window });
  expect(colors().getPropertyValue("--c")).toBe("");
  say({ type: "look", look: drawn });
  expect(colors().getPropertyValue("--c")).toBe("#b3261e");
  kefu.close();
  expect(strokes()).toBe("M1 2");
});
