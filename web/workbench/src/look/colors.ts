/** The same as src/kefu/shops/colors.py, which decides; here so that it shows while one chooses. A colour is `#rrggbb`. */
export interface Palette {
  color: string;
  on_color: string;
  hover: string;
  text: string[];
}

export const AA = 4.5;
/** Of the widget in light and in dark: its ground, the ground on which words are hardest to read, its words. */
export const THEMES = [
  ["#ffffff", "#eceff0", "#1c2325"],
  ["#1a1f21", "#272e31", "#e9edee"],
] as const;
const SOFT = 0.1;

/** From 1 to 21. */
export function contrast(one: string, other: string): number {
  const [dark, light] = [luminance(one), luminance(other)].toSorted((a, b) => a - b) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

export function paletteOf(color: string, on_color: string): Palette {
  const away = luminance(on_color) > luminance(color) ? "#000000" : "#ffffff";
  return { color, on_color, hover: mixed(away, color, 0.12), text: THEMES.map((theme) => readable(color, theme)) };
}

function readable(color: string, [ground, hardest, words]: (typeof THEMES)[number]): string {
  const grounds = [hardest, mixed(color, ground, SOFT)];
  const steps = Array.from({ length: 10 }, (_, tenth) => mixed(words, color, tenth / 10));
  return steps.find((one) => grounds.every((under) => contrast(one, under) >= AA)) ?? words;
}

function mixed(one: string, other: string, part: number): string {
  const [own, under] = [rgb(one), rgb(other)];
  const parts = [0, 1, 2].map((at) => Math.floor((own[at] ?? 0) * part + (under[at] ?? 0) * (1 - part) + 0.5));
  return `#${parts.map((value) => value.toString(16).padStart(2, "0")).join("")}`;
}

function luminance(color: string): number {
  const [r, g, b] = rgb(color).map((part) => (part <= 10 ? part / 3294.6 : ((part / 255 + 0.055) / 1.055) ** 2.4)) as [number, number, number];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function rgb(color: string): number[] {
  return [1, 3, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16));
}
