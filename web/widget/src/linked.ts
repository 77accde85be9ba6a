/** A URL, without the punctuation that ends the sentence around it. */
const URL_PATTERN = /https?:\/\/[^\s<>"'，。；！？、（）]*[^\s<>"'，。；！？、（）.,;:!?)\]]/gi;

export interface Part {
  text: string;
  href?: string;
}

/** What people write is plain text in which addresses can be followed. */
export function linked(text: string): Part[] {
  const parts: Part[] = [];
  let end = 0;
  for (const match of text.matchAll(URL_PATTERN)) {
    if (match.index > end) parts.push({ text: text.slice(end, match.index) });
    parts.push({ text: match[0], href: match[0] });
    end = match.index + match[0].length;
  }
  if (end < text.length) parts.push({ text: text.slice(end) });
  return parts;
}
