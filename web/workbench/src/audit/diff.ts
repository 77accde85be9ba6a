import type { Entry } from "./log";

/** A field of what was changed; null where there was, or is, none. */
export interface Change {
  field: string;
  before: string | null;
  after: string | null;
}

/** Every field that an entry names, in the order it names them. */
export function changesOf({ before, after }: Pick<Entry, "before" | "after">): Change[] {
  const fields = new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})]);
  return [...fields].map((field) => ({ field, before: told(before, field), after: told(after, field) }));
}

function told(facts: Entry["before"], field: string): string | null {
  const value: unknown = facts?.[field];
  if (value === undefined || value === null) return null;
  return typeof value === "string" ? value : JSON.stringify(value, null, 1).replace(/\n\s*/g, " ");
}
