import type { Actor, LogEvent, Named, NoteWritten } from "@kefu/api";

/** A note as it stands. `versions`: what it said, the newest first. */
export interface Note {
  id: string;
  author: Actor;
  at: string;
  content: string;
  mentions: readonly Named[];
  versions: readonly NoteWritten[];
}

/** The notes of a conversation that were not deleted, the newest first. */
export function notesOf(events: readonly LogEvent[]): Note[] {
  const notes = new Map<string, Note>();
  for (const event of events) {
    if (event.type === "note.removed") notes.delete(event.note_id);
    if (event.type !== "note.added" && event.type !== "note.edited") continue;
    const before = notes.get(event.note_id);
    notes.set(event.note_id, {
      id: event.note_id,
      author: before?.author ?? event.actor,
      at: before?.at ?? event.at,
      content: event.content,
      mentions: event.mentions,
      versions: [event, ...(before?.versions ?? [])],
    });
  }
  return [...notes.values()].toReversed();
}

/** The text in parts, those that name a colleague marked. */
export function partsOf({ content, mentions }: Pick<Note, "content" | "mentions">): { text: string; names: boolean }[] {
  const names = mentions.map(({ username }) => username).toSorted((a, b) => b.length - a.length);
  if (!names.length) return [{ text: content, names: false }];
  const pattern = new RegExp(`(@(?:${names.map((name) => name.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, "\\$&")).join("|")}))`, "i");
  return content.split(pattern).map((text, index) => ({ text, names: index % 2 === 1 })).filter(({ text }) => text);
}
