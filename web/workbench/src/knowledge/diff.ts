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
  const common = Array.from({ length: old.length + 1 }, () => new Uint16Array(now.length + 1));
  const at = (i: number, j: number) => common[i]?.[j] ?? 0;
  for (let i = old.length - 1; i >= 0; i--) {
    for (let j = now.length - 1; j >= 0; j--) {
      common[i]![j] = old[i] === now[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const lines: Line[] = [];
  for (let i = 0, j = 0; i < old.length || j < now.length; ) {
    if (i < old.length && j < now.length && old[i] === now[j]) {
      lines.push({ sign: " ", text: old[i++]! });
      j++;
    } else if (j >= now.length || (i < old.length && at(i + 1, j) >= at(i, j + 1))) lines.push({ sign: "-", text: old[i++]! });
    else lines.push({ sign: "+", text: now[j++]! });
  }
  return lines;
}

/** Only what changed, with so many lines around it. */
export function nearby(lines: Line[], around = 2): Line[] {
  return lines.filter((_, at) => lines.slice(Math.max(0, at - around), at + around + 1).some(({ sign }) => sign !== " "));
}
