import type { Api } from "@kefu/api";

/** A message a line, the customer's first. */
export function turnsOf(text: string): Api.GoldenOut["history"] {
  const lines = text
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean);
  return lines.map((content, n) => ({ role: n % 2 ? ("assistant" as const) : ("user" as const), content }));
}
