import type { Hit } from "./policies";

/** The text cut at the spans, which count Unicode characters. */
export function marked(text: string, hits: readonly Hit[]): { text: string; isHit: boolean }[] {
  const characters = [...text];
  const isHit = characters.map(() => false);
  for (const { why } of hits) {
    for (const [start, end] of (why.spans ?? []) as [number, number][]) isHit.fill(true, start, end);
  }
  const parts: { text: string; isHit: boolean }[] = [];
  for (const [index, one] of characters.entries()) {
    const last = parts.at(-1);
    if (last && last.isHit === isHit[index]) last.text += one;
    else parts.push({ text: one, isHit: isHit[index] ?? false });
  }
  return parts;
}
