import { ApiError } from "./failure";
import { FINAL, type Line, type Transport } from "./line";

/** Of the socket itself; no stream has them. */
const OWN = new Set(["heartbeat", "pong"]);
/** The server closes with 4000 and the HTTP status. */
const STATUS_OFFSET = 4_000;

interface Said {
  type?: string;
  seq?: number;
  code?: string;
  message?: string;
}

/** A WebSocket at `path`. `renew` gives another token for one that was refused. */
export function socket(path: string, renew?: (refused: string) => Promise<string>): Transport {
  return async (line) => {
    const token = await line.token();
    const refused = await talk(path, token, line);
    return refused?.status === 401 && renew ? talk(path, await renew(token), line) : refused;
  };
}

function talk(path: string, token: string, line: Line): Promise<ApiError | undefined> {
  return new Promise((resolve) => {
    let isOpen = false;
    let complaint: Said = {};
    const wire = dial(path);
    if (!wire) return resolve(undefined);
    const end = (code?: number) => {
      line.speaks(undefined);
      resolve(isOpen ? undefined : refusal(code, complaint));
    };
    wire.addEventListener("open", () => wire.send(JSON.stringify({ type: "hello", token, after: line.cursor })));
    wire.addEventListener("close", ({ code }) => end(code));
    wire.addEventListener("message", ({ data }) => {
      if (line.signal.aborted) return;
      line.alive();
      const said = parsed(String(data));
      if (said.type === "error") complaint = said;
      else isOpen ||= opened(line, wire);
      if (said.type !== "error" && !OWN.has(said.type ?? "")) line.deliver(String(data), placeOf(said));
    });
    // The other end may be dead: nobody waits for its goodbye.
    line.signal.addEventListener("abort", () => (wire.close(), end()), { once: true });
  });
}

function opened(line: Line, open: WebSocket): true {
  line.opened();
  line.speaks((frame) => open.send(JSON.stringify(frame)));
  return true;
}

/** Undefined where the page may not connect at all. */
function dial(path: string): WebSocket | undefined {
  const address = new URL(path, globalThis.location?.href);
  address.protocol = address.protocol.replace("http", "ws");
  try {
    return new WebSocket(address);
  } catch {
    return undefined;
  }
}

/** A frame that is no JSON is told by whoever gets it. */
function parsed(text: string): Said {
  try {
    return JSON.parse(text) as Said;
  } catch {
    return {};
  }
}

function placeOf({ type, seq }: Said): number | undefined {
  return type === "stream.ready" ? undefined : seq;
}

function refusal(closed: number | undefined, { code = "REFUSED", message = "" }: Said): ApiError | undefined {
  const status = (closed ?? 0) - STATUS_OFFSET;
  return FINAL.has(status) ? new ApiError(status, code, message) : undefined;
}
