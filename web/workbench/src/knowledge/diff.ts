/** A line of two texts laid over each other. */
export interface Line {
  sign: " " | "+" | "-";
  text: string;
}

const MOST = 1500; // lines on either side that are not the same: the table has their product

/** What has to be taken away from one text and added to get the other, line by line; undefined when that is too much. */
export function diff(before: string, after: string): Line[] | undefined {
  const [old, now] = [before.split("\n"), after.split("\n")];
  let start = 0;
  while (start < old.length && start < now.length && old[start] === now[start]) start++;
  let end = 0;
  while (end < Math.min(old.length, now.length) - start && old[old.length - 1 - end] === now[now.length - 1 - end]) end++;
  const changed = between(old.slice(start, old.length - end), now.slice(start, now.length - end));
  if (!changed) return undefined;
  const same = (lines: string[]): Line[] => lines.map((text) => ({ sign: " ", text }));
  return [...same(old.slice(0, start)), ...changed, ...same(old.slice(old.length - end))];
}

/** By the longest common run of lines. */
function between(old: string[], now: string[]): Line[] | undefined {
  if (old.length > MOST || now.length > MOST) return undefined;
  const width = now.length + 1;
  const common = new Uint16Array((old.length + 1) * width);
  const at = (i: number, j: number) => common[i * width + j] ?? 0;
  for (let i = old.length - 1; i >= 0; i--) {
    for (let j = now.length - 1; j >= 0; j--) {
      common[i * width + j] = old[i] === now[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const lines: Line[] = [];
  for (let i = 0, j = 0; i < old.length || j < now.length; ) {
    const [before, after] = [old[i], now[j]];
    const goes = after === undefined || (before !== undefined && at(i + 1, j) >= at(i, j + 1));
    if (before !== undefined && before === after) lines.push({ sign: " ", text: before });
    else if (goes) lines.push({ sign: "-", text: before ?? "" });
    else lines.push({ sign: "+", text: after });
    const { sign } = lines.at(-1) ?? {};
    i += Number(sign !== "+");
    j += Number(sign !== "-");
  }
  return lines;
}

/** Only what changed, with so many lines around it. */
export function nearby(lines: Line[], around = 2): Line[] {
  return lines.filter((_, at) => lines.slice(Math.max(0, at - around), at + around + 1).some(({ sign }) => sign !== " "));
}
