import type { LogEvent } from "@kefu/api";
import type { Line } from "../sessions/lines";

/** The keys of the messages from which on the conversation can be divided: its own, and neither the first nor moved. */
export function splittableIn(lines: readonly Line[], events: readonly LogEvent[], may: boolean): ReadonlySet<string> {
  if (!may || events.some((event) => event.type === "session.merged_into")) return new Set();
  const moved = Math.max(0, ...events.map((event) => (event.type === "session.split_off" ? event.to_seq : 0)));
  const own = lines.filter((line) => line.kind === "message" && line.key.startsWith("seq "));
  return new Set(own.slice(1).flatMap((line) => (line.kind === "message" && line.message.seq > moved ? line.key : [])));
}
