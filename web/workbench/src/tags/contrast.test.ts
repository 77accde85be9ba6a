import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const TOKENS = readFileSync(fileURLToPath(new URL("../../../tokens.css", import.meta.url)), "utf-8");
/** As TagChip mixes a tag's colour into its ground. */
const PART = 0.16;

type Rgb = [number, number, number];

/** A token in light and in dark. */
function token(name: string): [Rgb, Rgb] {
  const found = new RegExp(`--k-${name}: light-dark\\(#(\\w{6}), #(\\w{6})\\)`).exec(TOKENS);
  return [rgb(found?.[1] ?? ""), rgb(found?.[2] ?? "")];
}

function rgb(hex: string): Rgb {
  return [0, 2, 4].map((at) => Number.parseInt(hex.slice(at, at + 2), 16)) as Rgb;
}

function luminance(color: Rgb): number {
  const [r, g, b] = color.map((part) => (part <= 10 ? part / 3294.6 : ((part / 255 + 0.055) / 1.055) ** 2.4)) as Rgb;
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(one: Rgb, other: Rgb): number {
  const [dark, light] = [luminance(one), luminance(other)].toSorted((a, b) => a - b) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

test("the words of a tag can be read on any colour, by day and by night", () => {
  const steps = [0, 64, 128, 192, 255];
  const colors = steps.flatMap((r) => steps.flatMap((g) => steps.map((b): Rgb => [r, g, b])));
  for (const theme of [0, 1] as const) {
    const [text, surface] = [token("text")[theme], token("surface")[theme]];
    const grounds = colors.map((color) => color.map((part, at) => part * PART + surface[at as 0 | 1 | 2] * (1 - PART)) as Rgb);
    expect(Math.min(...grounds.map((ground) => contrast(text, ground)))).toBeGreaterThan(4.5);
  }
});
