import type { AnswerDelta, EphemeralFrame, LogEvent, StreamReady } from "./events";
import { failureFrom } from "./failure";
import { FINAL, signedHeaders, type Transport } from "./line";

/** `passing` is in no log: who types, the running draft as a whole, the place in the queue. */
interface Answer {
  data: { events: LogEvent[]; passing: (EphemeralFrame | AnswerDelta)[] } & Omit<StreamReady, "type">;
}

const WAIT_SECONDS = 25;
/** An answer with nothing in it that comes so early means that the server stops. */
const EARLY_MS = 5_000;

/** Long polling: for networks that hold streams back. Each answer reads as a short stream. */
export const poll: Transport = async (line) => {
  let after = line.cursor;
  for (let wait = 0; ; wait = WAIT_SECONDS) {
    const asked = Date.now();
    const headers = await signedHeaders(line, "application/json");
    const url = `${line.url}?after=${after}&wait=${wait}`;
    const response = await line.fetch(url, { headers, cache: "no-store", signal: line.signal });
    if (FINAL.has(response.status)) return await failureFrom(response);
    if (!response.ok) throw await failureFrom(response);
    const { events, passing, seq, status, epoch } = ((await response.json()) as Answer).data;
    if (line.signal.aborted) return undefined;
    line.alive();
    if (wait === 0) line.opened();
    for (const event of events) line.deliver(event, event.seq);
    line.deliver({ type: "stream.ready", seq, status, epoch });
    for (const frame of passing) line.deliver(frame);
    after = seq;
    const isNews = events.length + passing.length > 0;
    if (wait > 0 && !isNews && Date.now() - asked < EARLY_MS) return undefined;
  }
};
