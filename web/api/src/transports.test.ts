import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type WebSocket, WebSocketServer } from "ws";
import { Choice } from "./choice";
import { follow, type FollowOptions, type FollowState, type Follower } from "./follow";
import { poll } from "./poll";
import { socket } from "./socket";
import { sse } from "./sse";

interface Said {
  type: string;
  seq?: number;
  active?: boolean;
}
type Answers = (request: IncomingMessage, response: ServerResponse) => void;

/** A session with a log of its own, on every wire; each may be made to fail. */
class Session {
  log: Said[] = [];
  readonly visits: string[] = [];
  readonly up: object[] = [];
  tokens = new Set(["token"]);
  /** The status of the answer to a handshake: 101 lets it through. */
  handshake = 101;
  sse: Answers = (request, response) => this.stream(request, response);
  readonly sockets = new Set<WebSocket>();
  private readonly streams = new Set<ServerResponse>();
  private readonly waiting = new Set<() => void>();
  private readonly wires = new WebSocketServer({ noServer: true });
  private readonly server: Server = createServer((request, response) => this.answer(request, response));

  async open(): Promise<string> {
    this.server.on("upgrade", (request, wire, head) => {
      this.visits.push("socket");
      if (this.handshake !== 101) return void wire.end(`HTTP/1.1 ${this.handshake} No\r\nConnection: close\r\n\r\n`);
      this.wires.handleUpgrade(request, wire, head, (one) => this.connect(one));
    });
    await new Promise<void>((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  say(type = "message.posted"): void {
    const event = { type, seq: this.log.length + 1 };
    this.log.push(event);
    for (const one of this.sockets) one.send(JSON.stringify(event));
    for (const one of this.streams) one.write(`id: ${event.seq}\ndata: ${JSON.stringify(event)}\n\n`);
    for (const wake of this.waiting) wake();
  }

  cut(): void {
    for (const one of this.sockets) one.terminate();
    this.server.closeAllConnections();
  }

  close(): void {
    this.cut();
    this.server.close();
  }

  private ready(): Said & { status: string; epoch: number } {
    return { type: "stream.ready", seq: this.log.length, status: "bot_active", epoch: 0 };
  }

  private connect(one: WebSocket): void {
    one.on("message", (raw) => {
      const frame = JSON.parse(String(raw as Buffer)) as { type: string; token: string; after: number };
      if (frame.type !== "hello") return void this.up.push(frame);
      if (!this.tokens.has(frame.token)) {
        one.send(JSON.stringify({ type: "error", code: "TOKEN_INVALID", message: "Sign in" }));
        return one.close(4401);
      }
      for (const event of [...this.log.slice(frame.after), this.ready()]) one.send(JSON.stringify(event));
      this.sockets.add(one);
    });
    one.on("close", () => this.sockets.delete(one));
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    const query = new URL(request.url ?? "", "http://x").searchParams;
    this.visits.push(query.has("wait") ? "poll" : "sse");
    if (query.has("wait")) this.poll(Number(query.get("after")), query.get("wait") === "0", response);
    else this.sse(request, response);
  }

  private stream(request: IncomingMessage, response: ServerResponse): void {
    const after = Number(request.headers["last-event-id"] ?? 0);
    response.writeHead(200, { "Content-Type": "text/event-stream" });
    for (const event of this.log.slice(after)) response.write(`id: ${event.seq}\ndata: ${JSON.stringify(event)}\n\n`);
    response.write(`data: ${JSON.stringify(this.ready())}\n\n`);
    this.streams.add(response);
    response.on("close", () => this.streams.delete(response));
  }

  private poll(after: number, isUrgent: boolean, response: ServerResponse): void {
    const give = () => {
      this.waiting.delete(give);
      const { seq, status, epoch } = this.ready();
      const data = { events: this.log.slice(after), passing: [{ type: "typing" }], seq, status, epoch };
      response.end(JSON.stringify({ success: true, data }));
    };
    if (isUrgent || after < this.log.length) give();
    else this.waiting.add(give);
  }
}

let session: Session;
let address: string;
const followers: Follower[] = [];

beforeEach(async () => {
  session = new Session();
  address = await session.open();
});

afterEach(() => {
  for (const follower of followers.splice(0)) follower.close();
  session.close();
});

function listen(options: Partial<FollowOptions<Said>> = {}) {
  const frames: Said[] = [];
  const states: FollowState[] = [];
  const follower = follow<Said>({
    url: `${address}/events`,
    token: "token",
    onFrame: (frame) => frames.push(frame),
    onState: (state) => states.push(state),
    transports: [socket(`${address.replace("http", "ws")}/ws`), sse],
    choice: new Choice(0),
    timing: { firstRetryMs: 10, lastRetryMs: 40, silenceMs: 5_000, readyMs: 2_000 },
    ...options,
  });
  followers.push(follower);
  const seqs = () => frames.flatMap(({ type, seq }) => (type === "message.posted" ? [seq] : []));
  return { follower, frames, states, seqs, phases: () => states.map((state) => state.phase) };
}

const until = (holds: () => void) => vi.waitFor(holds, 5_000);

describe("a socket", () => {
  it("brings what a stream brings, from where it was", async () => {
    session.say();
    session.say();
    const heard = listen({ after: 1 });
    await until(() => expect(heard.frames.at(-1)?.type).toBe("stream.ready"));
    session.say();
    await until(() => expect(heard.seqs()).toEqual([2, 3]));
    for (const one of session.sockets) one.send('{"type":"heartbeat"}');
    session.cut();
    session.say();
    await until(() => expect(heard.seqs()).toEqual([2, 3, 4]));
    expect(heard.frames.map((frame) => frame.type)).not.toContain("heartbeat");
    expect(heard.phases()).toEqual(["connecting", "open", "waiting", "connecting", "open"]);
    expect(session.visits).toEqual(["socket", "socket"]);
  });

  it("carries what is said up while it is open", async () => {
    const heard = listen();
    expect(heard.follower.say({ type: "typing", active: true })).toBe(false);
    await until(() => expect(heard.frames).toHaveLength(1));
    expect(heard.follower.say({ type: "typing", active: true })).toBe(true);
    await until(() => expect(session.up).toEqual([{ type: "typing", active: true }]));
    heard.follower.close();
    expect(heard.follower.say({ type: "typing", active: false })).toBe(false);
  });

  it("asks for another token when one is refused, and stops when that is refused too", async () => {
    session.tokens = new Set(["newer"]);
    const path = `${address.replace("http", "ws")}/ws`;
    const renewed = listen({ transports: [socket(path, () => Promise.resolve("newer"))] });
    await until(() => expect(renewed.frames).toHaveLength(1));
    const refused = listen({ transports: [socket(path, () => Promise.resolve("worse"))] });
    await until(() => expect(refused.phases()).toEqual(["connecting", "refused"]));
    expect(refused.states[1]).toMatchObject({ error: { status: 401, code: "TOKEN_INVALID", message: "Sign in" } });
  });

  it("takes silence for a dead line", async () => {
    const heard = listen({ timing: { firstRetryMs: 10, lastRetryMs: 10, silenceMs: 150, readyMs: 2_000 } });
    await until(() => expect(heard.phases().filter((phase) => phase === "open")).toHaveLength(2));
  });
});

describe("when sockets do not get through", () => {
  it("goes on over a stream, and followers that share the choice need not find out", async () => {
    session.handshake = 400;
    session.say();
    const choice = new Choice(0);
    const first = listen({ choice });
    await until(() => expect(first.seqs()).toEqual([1]));
    expect(session.visits).toEqual(["socket", "socket", "sse"]);
    const second = listen({ choice });
    await until(() => expect(second.seqs()).toEqual([1]));
    expect(session.visits).toEqual(["socket", "socket", "sse", "sse"]);
    expect(second.follower.say({ type: "typing", active: true })).toBe(false);
  });

  it("tries them again when nobody answered at all", async () => {
    session.handshake = 400;
    const heard = listen();
    await until(() => expect(heard.frames).toHaveLength(1));
    session.handshake = 101;
    session.sse = (_request, response) => response.writeHead(503).end();
    session.cut();
    await until(() => expect(session.sockets.size).toBe(1));
  });

  it("gives up on one that opens and breaks at once", async () => {
    const breaking = setInterval(() => {
      for (const one of session.sockets) one.terminate();
    }, 5);
    const heard = listen({ choice: new Choice(1_000) });
    await until(() => expect(session.visits.at(-1)).toBe("sse"));
    clearInterval(breaking);
    session.say();
    await until(() => expect(heard.seqs()).toEqual([1]));
  });
});

describe("when streams are held back", () => {
  const timing = { firstRetryMs: 10, lastRetryMs: 20, silenceMs: 5_000, readyMs: 150 };

  it("goes on by polling", async () => {
    session.sse = (_request, response) => void response.writeHead(200, { "Content-Type": "text/event-stream" }).flushHeaders();
    session.say();
    const heard = listen({ transports: [sse, poll], timing });
    await until(() => expect(heard.seqs()).toEqual([1]));
    for (let n = 2; n <= 5; n += 1) {
      session.say();
      await until(() => expect(heard.seqs()).toHaveLength(n));
    }
    expect(heard.seqs()).toEqual([1, 2, 3, 4, 5]);
    expect(heard.follower.cursor).toBe(5);
    expect(session.visits.slice(0, 3)).toEqual(["sse", "sse", "poll"]);
    expect(heard.frames.slice(0, 3).map((frame) => frame.type)).toEqual(["message.posted", "stream.ready", "typing"]);
    expect(heard.phases().at(-1)).toBe("open");
  });

  it("is not deceived by the bytes that fit into what holds them back", async () => {
    session.sse = (_request, response) => {
      response.writeHead(200, { "Content-Type": "text/event-stream" });
      response.write(`id: 1\ndata: ${JSON.stringify({ type: "message.posted", seq: 1 })}\n\n`);
    };
    session.say();
    session.say();
    const heard = listen({ transports: [sse, poll], timing });
    await until(() => expect(heard.seqs()).toEqual([1, 1, 2]));
    expect(session.visits.slice(0, 3)).toEqual(["sse", "sse", "poll"]);
  });

  it("does not take an unwell server for that", async () => {
    let visits = 0;
    session.sse = (_request, response) => void (visits += 1, response.writeHead(503).end());
    listen({ transports: [sse, poll], timing });
    await until(() => expect(visits).toBeGreaterThan(4));
    expect(session.visits).not.toContain("poll");
  });

  it("begins again with a log that is shorter than its place in it", async () => {
    session.say();
    const heard = listen({ transports: [poll], after: 7 });
    await until(() => expect(heard.frames.map((frame) => frame.type)).toContain("stream.ready"));
    session.say();
    await until(() => expect(heard.seqs().at(-1)).toBe(2));
  });
});
