/** What a key press is called in the table: "t", "?", "mod+shift+b", "mod+ArrowUp". `mod` is Ctrl, or ⌘. */
export type Keys = string;

export type Press = Pick<KeyboardEvent, "key" | "code" | "ctrlKey" | "metaKey" | "altKey" | "shiftKey">;

/** Keyboards of other scripts: the key that has this letter on a Latin one. */
const LETTER = /^Key([A-Z])$/;

/** A sign is what it is, however it is typed: Shift counts only with letters and named keys. */
export function keysOf(press: Press): Keys {
  const written = /^[\x20-\x7e]+$/.test(press.key) ? press.key : (LETTER.exec(press.code)?.[1] ?? press.key);
  const key = written.length === 1 ? written.toLowerCase() : written;
  const isSign = key.length === 1 && !/[a-z]/.test(key);
  const held = [press.ctrlKey || press.metaKey ? "mod" : "", press.altKey ? "alt" : "", press.shiftKey && !isSign ? "shift" : ""];
  return [...held.filter(Boolean), key].join("+");
}

interface Place {
  isTyping: boolean;
  isEmpty: boolean;
}

/** What edits a text where one is. */
export const edits = (keys: Keys): boolean => /^mod\+(Arrow\w+|z)$/.test(keys);

/** Whoever types is not disturbed: there only keys with Ctrl hold, and those that edit only in an empty field. */
export function holdsIn(keys: Keys, { isTyping, isEmpty }: Place): boolean {
  return !isTyping || (keys.startsWith("mod+") && (isEmpty || !edits(keys)));
}

const SIGNS: Record<string, string> = { ArrowUp: "↑", ArrowDown: "↓", Escape: "Esc", shift: "Shift", alt: "Alt" };
const isMac = /Mac|iPhone|iPad/.test(globalThis.navigator?.platform ?? "");

/** What is printed on the keys. */
export function printed(keys: Keys): string[] {
  return keys.split("+").map((part) => {
    if (part === "mod") return isMac ? "⌘" : "Ctrl";
    return SIGNS[part] ?? (part.length === 1 ? part.toUpperCase() : part);
  });
}
