import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { createClient, messages } from "@kefu/api";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Chat, type ChatOptions } from "./chat";
import { saveVisit, storedVisit } from "./visit";

interface Stored {
  seq: number;
  content: string;
  client_msg_id: string;
}

/** The visitor's side of the server: sessions, their messages and their streams. */
class Shop {
  readonly sessions = new Map<string, { messages: Stored[]; followers: Set<ServerResponse>; read: number }>();
  /** Names that belong to somebody else. */
  readonly taken = new Set<string>();
  readonly escalated: string[] = [];
  /** Sessions that go on in another one. */
  readonly merged = new Map<string, string>();
  /** By whose tokens sessions were opened. */
  readonly openedBy: (string | undefined)[] = [];
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
    const refuse = (status: number, code: string) => reply(status, { success: false, error: { code, message: code } });
    if (request.url === "/api/conversation/new") {
      const wanted = String(body.session_id);
      this.openedBy.push(request.headers.authorization);
      if (this.taken.has(wanted)) return void refuse(401, "TOKEN_REQUIRED");
      if (!this.sessions.has(wanted)) this.sessions.set(wanted, { messages: [], followers: new Set(), read: 0 });
      return void reply(200, { success: true, session_name: wanted, visitor_token: `token-${wanted}` });
    }
    if (request.url === "/api/manual/escalate") return void (this.escalated.push(String(body.session_name)), reply(200, {}));
    const [, past = "", asked] = /^\/api\/visitor\/sessions\/([^/]+)\/(\w+)/.exec(request.url ?? "") ?? [];
    if (asked === "token") return void reply(200, { session_name: past, visitor_token: `token-${past}`, seq: 1 });
    if (asked === "messages") return void reply(200, { data: { messages: this.broughtTo(past), next_cursor: null } });
    if (!this.sessions.has(name)) return void refuse(404, "SESSION_NOT_FOUND");
    if (request.headers.authorization !== `Bearer token-${name}`) return void refuse(401, "TOKEN_INVALID");
    if (what === "events") return this.stream(name, response);
    if (what === "read") return void (this.mark(name, "visitor", Number(body.seq)), reply(200, {}));
    const into = this.merged.get(name);
    const known = this.sessions.get(name)!.messages.some((message) => message.client_msg_id === body.client_msg_id);
    if (into && !known) return void reply(409, { success: false, error: { code: "SESSION_MERGED", message: "", details: { into } } });
    if (String(body.content).length > 20) return void refuse(422, "VALIDATION_FAILED");
    reply(201, this.post(name, { content: String(body.content), client_msg_id: String(body.client_msg_id) }, "user"));
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

let shop: Shop;
const chats: Chat[] = [];

beforeEach(async () => {
  shop = new Shop();
  await new Promise<void>((resolve) => shop.server.listen(0, "127.0.0.1", resolve));
  const { port } = shop.server.address() as AddressInfo;
  (window as unknown as { happyDOM: { setURL: (url: string) => void } }).happyDOM.setURL(`http://127.0.0.1:${port}/embed`);
  localStorage.clear();
});

afterEach(() => {
  for (const chat of chats.splice(0)) chat.close();
  shop.server.closeAllConnections();
  shop.server.close();
});

function visit(more: Partial<ChatOptions> = {}): Chat {
  const chat = new Chat({ shop: "demo", locale: () => "en", client: (token) => createClient({ token }), ...more });
  chats.push(chat);
  return chat;
}

const seen = (chat: Chat) => messages(chat.conversation.value).map((message) => message.content);
const KEY = "kefu.visit.demo";

describe("a visitor", () => {
  it("opens no session by looking, and one by writing", async () => {
    const onConversation = vi.fn();
    const chat = visit({ onConversation });
    expect(localStorage.length).toBe(0);
    chat.send("Hello");
    expect(chat.conversation.value.pending).toMatchObject([{ content: "Hello", failed: false }]);
    chat.send("Anybody?");
    await vi.waitFor(() => expect(seen(chat)).toEqual(["Hello", "Anybody?"]));
    expect(chat.conversation.value.pending).toEqual([]);
    expect([...shop.sessions.keys()]).toEqual([storedVisit(KEY)?.session]);
    expect(onConversation).toHaveBeenCalledOnce();
  });

  it("finds the conversation again after a reload, and knows what is unread", async () => {
    const before = visit();
    before.send("Hello");
    await vi.waitFor(() => expect(seen(before)).toEqual(["Hello"]));
    shop.say(storedVisit(KEY)!.session, "assistant", "Moment");
    await vi.waitFor(() => expect(before.unread.value).toBe(1));
    before.markRead();
    expect(before.unread.value).toBe(0);
    await vi.waitFor(() => expect(shop.sessions.get(storedVisit(KEY)!.session)?.read).toBe(2));
    before.close();
    const name = storedVisit(KEY)!.session;
    shop.say(name, "assistant", "Hi!");
    shop.say(name, "agent", "Ann here");
    const onMessage = vi.fn();
    const after = visit({ onMessage });
    await vi.waitFor(() => expect(seen(after)).toEqual(["Hello", "Moment", "Hi!", "Ann here"]));
    await vi.waitFor(() => expect(after.unread.value).toBe(2));
    after.markRead();
    expect(after.unread.value).toBe(0);
    await vi.waitFor(() => expect(shop.sessions.get(name)?.read).toBe(4));
    await vi.waitFor(() => expect(after.conversation.value.ready).toBe(true));
    shop.say(name, "agent", "Still there?");
    await vi.waitFor(() => expect(onMessage).toHaveBeenCalledExactlyOnceWith({ role: "agent", content: "Still there?", seq: 5 }));
  });

  it("tells again what was read when the server could not be told", async () => {
    const chat = visit();
    chat.send("Hello");
    await vi.waitFor(() => expect(seen(chat)).toEqual(["Hello"]));
    const session = shop.sessions.get(storedVisit(KEY)!.session)!;
    const refused = vi.spyOn(shop, "mark").mockImplementationOnce(() => {
      for (const follower of session.followers) follower.end();
      shop.server.closeAllConnections();
    });
    shop.say(storedVisit(KEY)!.session, "agent", "Ann here");
    await vi.waitFor(() => expect(chat.unread.value).toBe(1));
    chat.markRead();
    await vi.waitFor(() => expect(refused).toHaveBeenCalledOnce());
    expect([chat.unread.value, session.read]).toEqual([0, 0]);
    await vi.waitFor(() => (chat.markRead(), expect(session.read).toBe(2)));
  });

  it("gets a new session when the old one is gone, and loses nothing written", async () => {
    saveVisit(KEY, { session: "gone", token: "token-gone", tokenAt: Date.now() });
    const onError = vi.fn();
    const chat = visit({ onError });
    chat.send("Hello");
    await vi.waitFor(() => expect(seen(chat)).toEqual(["Hello"]));
    expect(storedVisit(KEY)?.session).not.toBe("gone");
    expect(onError).toHaveBeenCalledWith("SESSION_NOT_FOUND");
    expect(shop.contents()).toEqual(["Hello"]);
  });

  it("takes another name when its own was opened but the answer got lost", async () => {
    saveVisit(KEY, { session: "mine", token: null, tokenAt: 0 });
    shop.taken.add("mine");
    const chat = visit();
    chat.send("Hello");
    await vi.waitFor(() => expect(seen(chat)).toEqual(["Hello"]));
    expect(storedVisit(KEY)?.session).not.toBe("mine");
  });

  it("does not open sessions for ever where all are refused", async () => {
    vi.spyOn(shop.taken, "has").mockReturnValue(true);
    const chat = visit();
    chat.send("Hello");
    await vi.waitFor(() => expect(chat.conversation.value.pending).toMatchObject([{ content: "Hello", failed: true }]));
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(shop.taken.has).toHaveBeenCalledTimes(2);
  });

  it("sees what was refused, and can drop it", async () => {
    const chat = visit();
    chat.send("far too long for this shop");
    chat.send("short");
    await vi.waitFor(() => expect(seen(chat)).toEqual(["short"]));
    const [failed] = chat.conversation.value.pending;
    expect(failed).toMatchObject({ failed: true });
    chat.retry(failed!.client_msg_id);
    expect(chat.conversation.value.pending).toMatchObject([{ failed: false }]);
    await vi.waitFor(() => expect(chat.conversation.value.pending).toMatchObject([{ failed: true }]));
    chat.discard(failed!.client_msg_id);
    expect(chat.conversation.value.pending).toEqual([]);
    expect(Object.keys(localStorage).filter((key) => key.includes("outbox"))).toEqual([]);
  });

  it("can call a person before having said a word", async () => {
    const chat = visit();
    await chat.escalate();
    expect(shop.escalated).toEqual([...shop.sessions.keys()]);
  });

  it("can start over", async () => {
    const chat = visit();
    chat.send("Hello");
    await vi.waitFor(() => expect(seen(chat)).toEqual(["Hello"]));
    chat.startOver();
    expect(seen(chat)).toEqual([]);
    chat.send("Again");
    await vi.waitFor(() => expect(seen(chat)).toEqual(["Again"]));
    expect(shop.sessions.size).toBe(2);
    const [, openedBy] = shop.openedBy;
    expect(openedBy, "the same visitor").toBe(`Bearer token-${[...shop.sessions.keys()][0]}`);
  });
});

describe("a conversation that goes on elsewhere", () => {
  async function talking(): Promise<[Chat, string]> {
    const chat = visit();
    chat.send("Hello");
    await vi.waitFor(() => expect(chat.conversation.value.ready && seen(chat)).toEqual(["Hello"]));
    shop.open("kept");
    return [chat, storedVisit(KEY)!.session];
  }

  const brought = (chat: Chat) => chat.brought.value.map(({ content }) => content);

  it("takes the tab along, with what was said before", async () => {
    const [chat, name] = await talking();
    shop.merge(name, "kept");
    await vi.waitFor(() => expect(storedVisit(KEY)).toMatchObject({ session: "kept", token: "token-kept" }));
    await vi.waitFor(() => expect(chat.conversation.value.ready).toBe(true));
    shop.merge(name, "kept");
    await vi.waitFor(() => expect(brought(chat)).toEqual(["Hello"]));
    chat.send("Here now");
    await vi.waitFor(() => expect(seen(chat)).toEqual(["Here now"]));
  });

  it("is written to once, though nobody told the tab", async () => {
    const [chat, name] = await talking();
    shop.merge(name, "kept", { told: false });
    chat.send("First");
    chat.send("Second");
    await vi.waitFor(() => expect(seen(chat)).toEqual(["First", "Second"]));
    await vi.waitFor(() => expect(Object.keys(localStorage).filter((key) => key.includes("outbox"))).toEqual([]));
    expect(shop.contents().toSorted()).toEqual(["First", "Hello", "Second"]);
    expect(chat.conversation.value.pending).toEqual([]);
  });

  it("is not left again for what was divided off before one came back", async () => {
    const [chat, name] = await talking();
    await chat.goOnIn("kept");
    await chat.goOnIn(name);
    const off = { type: "session.split_off", seq: 1, at: "2025-06-01T12:00:00Z", actor: { kind: "agent" }, into: "kept" };
    for (const each of shop.sessions.get(name)!.followers) each.write(`id: 1\ndata: ${JSON.stringify(off)}\n\n`);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(storedVisit(KEY)?.session).toBe(name);
  });
});

describe("one browser", () => {
  it("shares a conversation between tabs", async () => {
    const [left, right] = [visit(), visit()];
    left.send("from the left");
    window.dispatchEvent(new StorageEvent("storage", { key: KEY }));
    right.send("from the right");
    await vi.waitFor(() => expect(seen(left)).toEqual(["from the left", "from the right"]));
    window.dispatchEvent(new StorageEvent("storage", { key: KEY }));
    await vi.waitFor(() => expect(seen(right)).toEqual(["from the left", "from the right"]));
    expect(shop.sessions.size).toBe(1);
  });

  it("keeps two people apart and forgets who logs out", async () => {
    const chat = visit();
    chat.setUser("ann");
    chat.send("I am Ann");
    await vi.waitFor(() => expect(seen(chat)).toEqual(["I am Ann"]));
    chat.setUser("bo");
    expect(seen(chat)).toEqual([]);
    chat.setUser("ann");
    await vi.waitFor(() => expect(seen(chat)).toEqual(["I am Ann"]));
    chat.logout();
    expect(seen(chat)).toEqual([]);
    expect(Object.keys(localStorage).filter((key) => key.startsWith("kefu."))).toEqual([]);
  });
});
