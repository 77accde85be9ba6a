/** How well `wanted` fits: 0 not at all; a whole match before one of letters in order, the title before the text. */
export function fit(wanted: string, title: string, content: string): number {
  const keyword = wanted.trim().toLowerCase();
  if (!keyword) return 1;
  const [head, body] = [title.toLowerCase(), content.toLowerCase()];
  if (head.startsWith(keyword)) return 5;
  if (head.includes(keyword)) return 4;
  if (body.includes(keyword)) return 3;
  return hasInOrder(head, keyword) ? 2 : 0;
}

function hasInOrder(text: string, letters: string): boolean {
  let at = -1;
  return [...letters].every((letter) => (at = text.indexOf(letter, at + 1)) >= 0);
}
