import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { whoIs } from "./identity";

interface Stored {
  seq: number;
  content: string;
  client_msg_id: string;
}

/** The visitor's side of the server: sessions, their messages and their streams. */
export class Shop {
  readonly sessions = new Map<string, { messages: Stored[]; followers: Set<ServerResponse>; read: number }>();
  /** Names that belong to somebody else. */
  readonly taken = new Set<string>();
  readonly escalated: string[] = [];
  /** Sessions that go on in another one. */
  readonly merged = new Map<string, string>();
  /** Sessions whose tokens are void. */
  readonly ended: string[] = [];
  /** Sessions whose tokens hold no more until the customer is recognised again. */
  private readonly expired = new Set<string>();
  /** Whose session it is. */
  private readonly owners = new Map<string, string>();
  /** By whose tokens sessions were opened. */
  readonly openedBy: (string | undefined)[] = [];
  /** What visitors said of themselves as they opened sessions. */
  readonly introductions: unknown[] = [];
  /** The words that a visitor must agree to. */
  wants = "";
  readonly server: Server = createServer((request, response) => void this.answer(request, response));

  /** What all sessions hold, by content. */
  contents(): string[] {
    return [...this.sessions.values()].flatMap((session) => session.messages.map((message) => message.content));
  }

  say(name: string, role: string, content: string): void {
    this.post(name, { content, client_msg_id: `${role}-${content}` }, role);
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await read(request);
    const [, name = "", what] = /^\/api\/sessions\/([^/]+)\/(\w+)/.exec(request.url ?? "") ?? [];
    const reply = (status: number, data: object) => response.writeHead(status).end(JSON.stringify(data));
    const refuse = (status: number, code: string, details = {}) =>
      reply(status, { success: false, error: { code, message: code, details } });
    if (request.url === "/api/conversation/new") {
      const wanted = String(body.session_id);
      this.openedBy.push(request.headers.authorization);
      this.introductions.push(body.introduction);
      const { agreed = "" } = (body.introduction ?? {}) as { agreed?: string };
      if (agreed !== this.wants && !this.sessions.has(wanted)) return void refuse(422, "INTRODUCTION_REQUIRED", { missing: ["agreed"] });
      if (this.taken.has(wanted)) return void refuse(401, "TOKEN_REQUIRED");
      const { token } = (body.identity ?? {}) as { token?: string };
      if (token) this.owners.set(wanted, whoIs({ token }));
      if (!this.sessions.has(wanted)) this.sessions.set(wanted, { messages: [], followers: new Set(), read: 0 });
      return void reply(200, { success: true, session_name: wanted, visitor_token: `token-${wanted}` });
    }
    const bearer = /^Bearer token-(.*?)(?:\.again)*$/.exec(request.headers.authorization ?? "")?.[1];
    if (request.url === "/api/visitor/logout") return void (this.ended.push(bearer ?? ""), reply(200, {}));
    if (request.url === "/api/visitor/identify") {
      const found = this.recognise(body, bearer);
      return void (found ? reply(200, { data: found }) : refuse(403, "IDENTITY_UNVERIFIED"));
    }
    if (request.url === "/api/manual/escalate") return void (this.escalated.push(String(body.session_name)), reply(200, {}));
    const [, past = "", asked] = /^\/api\/visitor\/sessions\/([^/]+)\/(\w+)/.exec(request.url ?? "") ?? [];
    if (asked === "token") return void reply(200, { session_name: past, visitor_token: `token-${past}`, seq: 1 });
    if (asked === "messages") return void reply(200, { data: { messages: this.broughtTo(past), next_cursor: null } });
    if (!this.sessions.has(name)) return void refuse(404, "SESSION_NOT_FOUND");
    if (this.expired.has(name)) return void refuse(401, "TOKEN_EXPIRED");
    if (request.headers.authorization !== `Bearer token-${name}`) return void refuse(401, "TOKEN_INVALID");
    if (what === "events") return this.stream(name, response);
    if (what === "read") return void (this.mark(name, "visitor", Number(body.seq)), reply(200, {}));
    const into = this.merged.get(name);
    const known = this.sessions.get(name)!.messages.some((message) => message.client_msg_id === body.client_msg_id);
    if (into && !known) return void reply(409, { success: false, error: { code: "SESSION_MERGED", message: "", details: { into } } });
    if (String(body.content).length > 20) return void refuse(422, "VALIDATION_FAILED");
    reply(201, this.post(name, { content: String(body.content), client_msg_id: String(body.client_msg_id) }, "user"));
  }

  private recognise({ identifier, token }: Record<string, unknown>, bearer: string | undefined): object | undefined {
    const who = whoIs(token ? { token: String(token) } : { identifier: String(identifier) });
    if (who === "refused") return undefined;
    const own = token ? [...this.owners].find(([, owner]) => owner === who)?.[0] : undefined;
    const session = bearer && this.sessions.has(bearer) ? bearer : own;
    if (!session) return { session_name: null, visitor_token: null, seq: 0, verified: Boolean(token) };
    this.owners.set(session, who);
    this.expired.delete(session);
    return { session_name: session, visitor_token: `token-${session}`, seq: 1, verified: Boolean(token) };
  }

  expire(name: string): void {
    this.expired.add(name);
  }

  open(name: string): void {
    this.sessions.set(name, { messages: [], followers: new Set(), read: 0 });
  }

  /** With the news of it to both, or to nobody. */
  merge(name: string, into: string, { told = true } = {}): void {
    this.merged.set(name, into);
    const event = (type: string, facts: object) =>
      `id: 90\ndata: ${JSON.stringify({ type, seq: 90, at: "2025-06-01T13:00:00Z", actor: { kind: "agent" }, ...facts })}\n\n`;
    if (told) for (const each of this.sessions.get(name)!.followers) each.write(event("session.merged_into", { into }));
    for (const each of this.sessions.get(into)!.followers) each.write(event("session.merged", { source: name }));
  }

  private broughtTo(name: string): object[] {
    const sources = [...this.merged].filter(([, into]) => into === name).map(([source]) => source);
    return sources.flatMap((session_name) =>
      this.sessions.get(session_name)!.messages.map((one) => ({
        type: "message.posted", at: "2025-06-01T11:00:00Z", actor: { kind: "visitor" }, ...one, session_name,
      })),
    );
  }

  private post(name: string, message: Omit<Stored, "seq">, role: string): Stored {
    const session = this.sessions.get(name)!;
    const known = session.messages.find((other) => other.client_msg_id === message.client_msg_id);
    if (known) return known;
    const stored = { ...message, seq: session.messages.length + 1, role } as Stored;
    session.messages.push(stored);
    for (const follower of session.followers) follower.write(frame(stored));
    return stored;
  }

  mark(name: string, kind: "visitor" | "agent", seq: number): void {
    const session = this.sessions.get(name)!;
    if (kind === "visitor") session.read = Math.max(session.read, seq);
    for (const follower of session.followers) follower.write(marked(kind, seq));
  }

  private stream(name: string, response: ServerResponse): void {
    const { messages: past, followers, read: seq } = this.sessions.get(name)!;
    response.writeHead(200, { "Content-Type": "text/event-stream" });
    response.write(past.map(frame).join(""));
    response.write(`data: {"type":"stream.ready","seq":${past.length},"status":"bot_active","epoch":0}\n\n`);
    if (seq) response.write(marked("visitor", seq));
    followers.add(response);
  }
}

function marked(kind: string, seq: number): string {
  return `data: ${JSON.stringify({ type: "read", actor: { kind }, seq })}\n\n`;
}

function frame(message: Stored): string {
  const event = { type: "message.posted", at: "2025-06-01T12:00:00Z", actor: { kind: "visitor" }, ...message };
  return `id: ${message.seq}\ndata: ${JSON.stringify(event)}\n\n`;
}

async function read(request: IncomingMessage): Promise<Record<string, unknown>> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return chunks.length ? (JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>) : {};
}
