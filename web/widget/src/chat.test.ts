import type { AddressInfo } from "node:net";
import { createClient, messages } from "@kefu/api";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Chat } from "./chat";
import type { ChatOptions } from "./chatOptions";
import type { Introduction } from "./introduction";
import { Shop } from "./shop.fixture";
import { saveVisit, storedVisit } from "./visit";

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

const tokenOf = (sub: string) => `x.${btoa(JSON.stringify({ sub }))}.y`;
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
    const onNews = vi.fn();
    const after = visit({ onNews });
    await vi.waitFor(() => expect(seen(after)).toEqual(["Hello", "Moment", "Hi!", "Ann here"]));
    await vi.waitFor(() => expect(after.unread.value).toBe(2));
    after.markRead();
    expect(after.unread.value).toBe(0);
    await vi.waitFor(() => expect(shop.sessions.get(name)?.read).toBe(4));
    await vi.waitFor(() => expect(after.conversation.value.ready).toBe(true));
    shop.say(name, "agent", "Still there?");
    await vi.waitFor(() => expect(onNews.mock.calls.map(([{ role, content, seq }]) => [role, content, seq])).toEqual([["agent", "Still there?", 5]]));
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

  it("says who they are with the first word, which waits for that", async () => {
    let say: (introduction: Introduction) => void = () => undefined;
    const introduction = vi.fn(() => new Promise<Introduction>((resolve) => (say = resolve)));
    const chat = visit({ introduction });
    chat.send("Hello");
    await vi.waitFor(() => expect(introduction).toHaveBeenCalledOnce());
    expect(shop.introductions).toEqual([]);
    say({ name: "Ada", agreed: "" });
    await vi.waitFor(() => expect(seen(chat)).toEqual(["Hello"]));
    chat.send("And");
    await vi.waitFor(() => expect(seen(chat)).toEqual(["Hello", "And"]));
    expect(shop.introductions).toEqual([{ name: "Ada", agreed: "" }]);
  });

  it("is asked for what the server wants before all, and what they wrote waits for it, and comes once", async () => {
    shop.wants = "We keep it a year.";
    let said: Introduction = { name: "Ada", agreed: "We keep it." };
    const demand = vi.fn((_missing: readonly string[]) => new Promise<boolean>((resolve) => (agree = resolve)));
    let agree: (mayGoOn: boolean) => void = () => undefined;
    const chat = visit({ introduction: () => Promise.resolve(said), demand });
    chat.send("Hello");
    chat.send("Anybody?");
    await vi.waitFor(() => expect(demand).toHaveBeenCalledWith(["agreed"]));
    expect(chat.conversation.value.pending.map(({ content, failed }) => [content, failed])).toEqual([["Hello", false], ["Anybody?", false]]);
    said = { name: "Ada", agreed: shop.wants };
    agree(true);
    await vi.waitFor(() => expect(seen(chat)).toEqual(["Hello", "Anybody?"]));
    expect(shop.introductions).toEqual([{ name: "Ada", agreed: "We keep it." }, said]);
  });

  it("keeps what they wrote where there is nothing to ask them", async () => {
    shop.wants = "We keep it a year.";
    const chat = visit();
    chat.send("Hello");
    await vi.waitFor(() => expect(chat.conversation.value.pending).toMatchObject([{ content: "Hello", failed: true }]));
    shop.wants = "";
    chat.retry(chat.conversation.value.pending[0]!.client_msg_id);
    await vi.waitFor(() => expect(seen(chat)).toEqual(["Hello"]));
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

  it("keeps two people apart, in sight and in storage, and forgets who logs out", async () => {
    const onLeft = vi.fn();
    const chat = visit({ onLeft });
    chat.send("Hello");
    await vi.waitFor(() => expect(seen(chat)).toEqual(["Hello"]));
    await chat.identify({ identifier: "ann" });
    chat.send("I am Ann");
    await vi.waitFor(() => expect(seen(chat)).toEqual(["Hello", "I am Ann"]));
    expect(shop.sessions.size, "who was not known yet goes on in the same conversation").toBe(1);
    const anns = chat.session.value;
    void chat.identify({ identifier: "bo" });
    expect(seen(chat)).toEqual([]);
    expect(onLeft).toHaveBeenCalledOnce();
    chat.send("I am Bo");
    await vi.waitFor(() => expect(seen(chat)).toEqual(["I am Bo"]));
    expect(JSON.stringify(localStorage)).not.toContain(anns);
    await vi.waitFor(() => expect(shop.ended).toContain(anns));
    chat.logout();
    expect(seen(chat)).toEqual([]);
    expect(Object.keys(localStorage).filter((key) => key.startsWith("kefu."))).toEqual([]);
  });

  it("shows a proven customer their conversation again, and nobody the one of whose proof is refused", async () => {
    const onError = vi.fn();
    const chat = visit({ onError });
    await chat.identify({ token: tokenOf("ann") });
    chat.send("I am Ann");
    await vi.waitFor(() => expect(seen(chat)).toEqual(["I am Ann"]));
    chat.logout();
    await vi.waitFor(() => expect(shop.ended).toHaveLength(1));
    await chat.identify({ token: tokenOf("refused") });
    expect(onError).toHaveBeenCalledExactlyOnceWith("IDENTITY_UNVERIFIED");
    expect(seen(chat)).toEqual([]);
    await chat.identify({ token: tokenOf("ann") });
    await vi.waitFor(() => expect(seen(chat)).toEqual(["I am Ann"]));
  });

  it("loses nothing that was written while one signs in", async () => {
    const chat = visit();
    chat.send("Written first");
    const signedIn = chat.identify({ token: tokenOf("ann") });
    chat.send("Written meanwhile");
    await signedIn;
    await vi.waitFor(() => expect(seen(chat).toSorted()).toEqual(["Written first", "Written meanwhile"]));
    expect(chat.conversation.value.pending).toEqual([]);
  });

  it("sends in order what was written after a customer's token had expired", async () => {
    const chat = visit();
    await chat.identify({ token: tokenOf("ann") });
    chat.send("One");
    await vi.waitFor(() => expect(seen(chat)).toEqual(["One"]));
    shop.expire(chat.session.value);
    for (const words of ["Two", "Three", "Four"]) chat.send(words);
    await vi.waitFor(() => expect(seen(chat)).toEqual(["One", "Two", "Three", "Four"]));
    expect(shop.contents()).toEqual(["One", "Two", "Three", "Four"]);
    expect(chat.conversation.value.pending).toEqual([]);
  });

  it("takes nobody along who has left in another tab", async () => {
    const [left, right] = [visit(), visit()];
    await left.identify({ identifier: "ann" });
    left.send("I am Ann");
    await vi.waitFor(() => expect(seen(left)).toEqual(["I am Ann"]));
    await right.identify({ identifier: "ann" });
    await vi.waitFor(() => expect(seen(right)).toEqual(["I am Ann"]));
    await left.identify({ identifier: "bo" });
    window.dispatchEvent(new StorageEvent("storage", { key: `${KEY}.known` }));
    expect(seen(right)).toEqual([]);
    right.send("who am I?");
    await vi.waitFor(() => expect(seen(right)).toEqual(["who am I?"]));
    expect(seen(left)).toEqual([]);
  });
});
