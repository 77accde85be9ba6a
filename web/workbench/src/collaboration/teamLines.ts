import type { LogEvent, TeamEvent } from "@kefu/api";

/** By name, as moves are: what a newer server may say besides has no line. */
const LINES: readonly TeamEvent["type"][] = [
  "note.added",
  "transfer.requested",
  "transfer.declined",
  "transfer.cancelled",
  "transfer.expired",
  "assist.requested",
  "assist.answered",
];

/** What of the team's own talk stands among the messages: a note where it was begun, a request where it was made. */
export function isTeamLine(event: LogEvent): event is TeamEvent {
  return LINES.some((type) => type === event.type);
}
