import { createParser } from "eventsource-parser";
import { failureFrom } from "./failure";
import { FINAL, type Line, signedHeaders, type Transport } from "./line";

/** Server-sent events. Unlike EventSource it sends a token. */
export const sse: Transport = async (line) => {
  const headers = await signedHeaders(line, "text/event-stream");
  if (line.cursor > 0) headers.set("Last-Event-ID", String(line.cursor));
  const response = await line.fetch(line.url, { headers, cache: "no-store", signal: line.signal });
  if (FINAL.has(response.status)) return await failureFrom(response);
  if (!response.ok || !response.body) throw await failureFrom(response);
  line.opened();
  // What breaks from here on was reached.
  await read(response.body, line).catch(() => undefined);
  return undefined;
};

async function read(body: ReadableStream<Uint8Array>, line: Line): Promise<void> {
  const decoder = new TextDecoder();
  const parser = createParser({ onEvent: ({ id, data }) => line.deliver(data, id ? Number(id) : undefined) });
  const reader = body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done || line.signal.aborted) return;
    line.alive();
    parser.feed(decoder.decode(value, { stream: true }));
  }
}
