import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { follow, type FollowState, type Follower } from "./follow";

type Handler = (request: IncomingMessage, response: ServerResponse, visit: number) => void;
interface Said {
  type: string;
  seq?: number;
  text?: string;
}

let server: Server | undefined;
let follower: Follower | undefined;

afterEach(() => {
  follower?.close();
  server?.closeAllConnections();
  server?.close();
});

async function serve(handler: Handler): Promise<string> {
  let visits = 0;
  server = createServer((request, response) => handler(request, response, (visits += 1)));
  await new Promise<void>((resolve) => server?.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/events`;
}

function stream(response: ServerResponse): ServerResponse {
  return response.writeHead(200, { "Content-Type": "text/event-stream" });
}

const event = (seq: number) => `id: ${seq}\ndata: ${JSON.stringify({ type: "message.posted", seq })}\n\n`;

function listen(url: string, options: { after?: number; silenceMs?: number; firstRetryMs?: number } = {}) {
  const { after = 0, silenceMs = 5_000, firstRetryMs = 10 } = options;
  const frames: Said[] = [];
  const states: FollowState[] = [];
  follower = follow<Said>({
    url,
    token: () => "visitor-token",
    after,
    onFrame: (frame) => frames.push(frame),
    onState: (state) => states.push(state),
    timing: { firstRetryMs, lastRetryMs: firstRetryMs * 4, silenceMs },
  });
  return { frames, states, follower, phases: () => states.map((state) => state.phase) };
}

describe("following", () => {
  it("sends the token and the place to resume, and tells frames in order", async () => {
    const asked: IncomingMessage[] = [];
    const url = await serve((request, response) => {
      asked.push(request);
      stream(response).write(`: hello\n\n${event(8)}${event(9)}data: {"type":"typing"}\n\n`);
    });
    const heard = listen(url, { after: 7 });
    await vi.waitFor(() => expect(heard.frames.map((frame) => frame.seq)).toEqual([8, 9, undefined]));
    expect(asked[0]?.headers).toMatchObject({ authorization: "Bearer visitor-token", "last-event-id": "7" });
    expect(heard.follower.cursor).toBe(9);
    expect(heard.phases()).toEqual(["connecting", "open"]);
  });

  it("resumes after a dropped line where it was", async () => {
    const resumed: unknown[] = [];
    const url = await serve((request, response, visit) => {
      resumed.push(request.headers["last-event-id"]);
      stream(response).write(event(visit), () => visit < 4 && response.destroy());
    });
    const heard = listen(url);
    await vi.waitFor(() => expect(heard.frames.map((frame) => frame.seq)).toEqual([1, 2, 3, 4]));
    expect(resumed).toEqual([undefined, "1", "2", "3"]);
  });

  it("outlasts an unwell server with growing pauses", async () => {
    const url = await serve((_request, response, visit) => {
      if (visit <= 3) response.writeHead(503).end();
      else stream(response).write(event(1));
    });
    const heard = listen(url);
    await vi.waitFor(() => expect(heard.frames).toHaveLength(1));
    const pauses = heard.states.flatMap((state) => (state.phase === "waiting" ? [state.retryInMs] : []));
    expect(pauses).toHaveLength(3);
    pauses.forEach((pause, index) => {
      expect(pause).toBeGreaterThanOrEqual((10 * 2 ** index) / 2);
      expect(pause).toBeLessThanOrEqual(10 * 2 ** index);
    });
  });

  it("puts characters together that were cut between packets", async () => {
    const url = await serve((_request, response) => {
      const bytes = Buffer.from(`id: 1\ndata: {"type":"x","text":"电动车 🚲 é"}\n\n`);
      stream(response);
      // One after the other: timers of different lengths may overtake each other on a busy machine.
      const writeFrom = (index: number): void => {
        if (index === bytes.length) return;
        response.write(bytes.subarray(index, index + 1));
        setTimeout(() => writeFrom(index + 1), 1);
      };
      writeFrom(0);
    });
    const heard = listen(url);
    await vi.waitFor(() => expect(heard.frames[0]?.text).toBe("电动车 🚲 é"), 3_000);
  });

  it("takes silence for a dead line", async () => {
    const url = await serve((_request, response, visit) => {
      stream(response).write(visit === 1 ? ": hello\n\n" : event(1));
    });
    const heard = listen(url, { silenceMs: 60 });
    await vi.waitFor(() => expect(heard.frames).toHaveLength(1));
    expect(heard.phases()).toEqual(["connecting", "open", "waiting", "connecting", "open"]);
  });

  it("counts a heartbeat as life", async () => {
    const url = await serve((_request, response) => {
      stream(response);
      const beat = setInterval(() => response.write(":\n\n"), 20);
      response.on("close", () => clearInterval(beat));
    });
    const heard = listen(url, { silenceMs: 150 });
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(heard.phases()).toEqual(["connecting", "open"]);
  });

  it.each([401, 403, 404])("stops on %i and says why", async (status) => {
    let visits = 0;
    const url = await serve((_request, response) => {
      visits += 1;
      response.writeHead(status).end('{"success":false,"error":{"code":"TOKEN_EXPIRED","message":"Sign in"}}');
    });
    const heard = listen(url);
    await vi.waitFor(() => expect(heard.phases()).toEqual(["connecting", "refused"]));
    expect(heard.states[1]).toMatchObject({ error: { status, code: "TOKEN_EXPIRED", message: "Sign in" } });
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(visits).toBe(1);
  });

  it("does not wait when the network comes back", async () => {
    const window = new EventTarget();
    vi.stubGlobal("window", window);
    onTestFinished(() => void vi.unstubAllGlobals());
    const url = await serve((_request, response, visit) => {
      if (visit === 1) response.writeHead(502).end();
      else stream(response).write(event(1));
    });
    const heard = listen(url, { firstRetryMs: 60_000 });
    await vi.waitFor(() => expect(heard.phases()).toContain("waiting"));
    window.dispatchEvent(new Event("online"));
    await vi.waitFor(() => expect(heard.frames).toHaveLength(1));
  });

  it("replaces a line that went quiet while the machine slept", async () => {
    const document = Object.assign(new EventTarget(), { visibilityState: "visible" });
    vi.stubGlobal("document", document);
    onTestFinished(() => void vi.unstubAllGlobals());
    const url = await serve((_request, response, visit) => void stream(response).write(event(visit)));
    const heard = listen(url, { silenceMs: 400, firstRetryMs: 60_000 });
    await vi.waitFor(() => expect(heard.frames).toHaveLength(1));
    await new Promise((resolve) => setTimeout(resolve, 250));
    document.dispatchEvent(new Event("visibilitychange"));
    await vi.waitFor(() => expect(heard.frames).toHaveLength(2));
    expect(heard.phases()).not.toContain("waiting");
  });

  it("goes on after a frame that cannot be handled", async () => {
    const thrown: unknown[] = [];
    const uncaught = (error: unknown) => void thrown.push(error);
    const others = process.listeners("uncaughtException");
    process.removeAllListeners("uncaughtException").on("uncaughtException", uncaught);
    onTestFinished(() => {
      process.removeAllListeners("uncaughtException");
      for (const other of others) process.on("uncaughtException", other);
    });
    const url = await serve((_request, response) => void stream(response).write(`id: 1\ndata: {oops\n\n${event(2)}`));
    const heard = listen(url);
    await vi.waitFor(() => expect(heard.frames.map((frame) => frame.seq)).toEqual([2]));
    expect(thrown).toHaveLength(1);
  });

  it("is silent after close", async () => {
    const url = await serve((_request, response) => {
      stream(response).write(event(1));
      setTimeout(() => response.write(event(2)), 200);
    });
    const heard = listen(url);
    await vi.waitFor(() => expect(heard.frames).toHaveLength(1));
    heard.follower.close();
    heard.follower.close();
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(heard.frames).toHaveLength(1);
    expect(heard.phases()).toEqual(["connecting", "open", "closed"]);
  });
});
