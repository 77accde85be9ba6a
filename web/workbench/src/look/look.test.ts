import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { AA, contrast, paletteOf, THEMES } from "./colors";
import examples from "./colors.json";
import { embedCode, WAYS } from "./embedCode";
import { contrastOf, isSound, type Look, questionsOf, shownOf } from "./look";

const TOKENS = readFileSync(`${import.meta.dirname}/../../../tokens.css`, "utf-8");
const BOTH = { zh: "好", en: "Good" };
const LOOK: Look = {
  name: BOTH,
  welcome: BOTH,
  suggestions: { zh: [], en: ["Where is my order?"] },
  color: "#0f766e",
  on_color: "#ffffff",
  position: "bottom-right",
  icon: "heart",
  avatar: "icon",
  asks: { name: "off", email: "off" },
  consent: { mode: "off", text: { zh: "", en: "" }, link: { zh: "", en: "" } },
  hours_notice: { zh: "", en: "" },
};

/** A token in light and in dark. */
function token(name: string): string[] {
  return [...new RegExp(`--k-${name}: light-dark\\((#\\w{6}), (#\\w{6})\\)`).exec(TOKENS)!].slice(1, 3);
}

it("counts contrast and colours as the server does, which reads the same examples", () => {
  for (const { contrast: found, ...palette } of examples) {
    expect(contrastOf({ ...LOOK, ...palette })).toBe(found);
    expect(paletteOf(palette.color, palette.on_color)).toEqual(palette);
  }
});

it("reckons with the grounds and the words that the widget has", () => {
  expect(THEMES.map(([ground]) => ground)).toEqual(token("surface"));
  expect(THEMES.map(([, , words]) => words)).toEqual(token("text"));
  for (const ground of ["surface", "surface-hover", "bubble", "surface-sunken"]) {
    token(ground).forEach((each, theme) => {
      const [, hardest, words] = THEMES[theme]!;
      expect(contrast(words, each)).toBeGreaterThanOrEqual(contrast(words, hardest) - 0.01);
    });
  }
});

it("can be read in any colour", () => {
  const steps = ["00", "40", "80", "c0", "ff"];
  for (const color of steps.flatMap((r) => steps.flatMap((g) => steps.map((b) => `#${r}${g}${b}`)))) {
    paletteOf(color, "#ffffff").text.forEach((words, theme) => expect(contrast(words, THEMES[theme]![1])).toBeGreaterThanOrEqual(AA));
  }
});

it("lets nobody save what cannot be read or is not said in both languages", () => {
  expect(isSound(LOOK)).toBe(true);
  const consent = { mode: "ask" as const, text: BOTH, link: { zh: "", en: "https://shop.example/privacy" } };
  expect(isSound({ ...LOOK, consent })).toBe(true);
  for (const wrong of [
    { color: "#ffd400" },
    { color: "#ffd4" },
    { name: { zh: " ", en: "Vela" } },
    { consent: { ...consent, text: { zh: "", en: "We keep it" } } },
    { consent: { ...consent, link: { zh: "javascript:alert(1)", en: "" } } },
  ]) {
    expect(isSound({ ...LOOK, ...wrong })).toBe(false);
  }
  expect(questionsOf("a\n\n b \n1\n2\n3\n4\n5")).toEqual(["a", " b ", "1", "2", "3", "4"]);
});

it("shows the preview what the widget would be told", () => {
  expect(shownOf(LOOK, { heart: "M1 2" }, "en")).toMatchObject({ name: "Good", icon: "M1 2", suggestions: ["Where is my order?"] });
  expect(shownOf({ ...LOOK, color: "#0" }, {}, "zh")).toMatchObject({ name: "好", palette: null, icon: "" });
});

it("gives code for three ways, each naming the shop and this server", () => {
  const code = embedCode("https://kefu.example", "bikes");
  expect(Object.keys(code)).toEqual(WAYS);
  expect(code.script).toBe('<script async src="https://kefu.example/sdk/fiido-kefu.js?shop=bikes" data-shop="bikes"></script>');
  expect(code.call).toContain('push(["init", { shop: "bikes", autoOpen: false }])');
  expect(code.iframe).toContain("https://kefu.example/embed?shop=bikes");
});
