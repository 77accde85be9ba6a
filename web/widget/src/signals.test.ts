import { type Conversation, emptyConversation, fold, type Frame, withDisconnect, withFailed, withPending } from "@kefu/api";
import { mount } from "@vue/test-utils";
import { h, nextTick, type Ref, type ShallowRef, shallowRef, watch } from "vue";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { useEscape } from "./modal";
import { useAnnouncements, useThinking } from "./signals";
import { locale } from "./words";

let session: ShallowRef<string>;
let conversation: ShallowRef<Conversation>;
let heard: string[];

beforeEach(() => {
  locale.value = "en";
  session = shallowRef("one");
  conversation = shallowRef(emptyConversation());
  heard = [];
  mount({
    setup() {
      const { said } = useAnnouncements({ session, conversation } as never);
      watch(said, (now, before) => heard.push(...now.filter((one) => !before.includes(one)).map(({ text }) => text)));
      return () => h("i");
    },
  });
});

async function comes(...frames: object[]): Promise<void> {
  for (const frame of frames) conversation.value = fold(conversation.value, frame as Frame);
  await nextTick();
}

const posted = (seq: number, role: "user" | "assistant" | "agent", content: string) => ({
  type: "message.posted",
  seq,
  at: "2025-06-01T12:00:00Z",
  role,
  content,
  client_msg_id: `m${seq}`,
  actor: role === "agent" ? { kind: "agent", id: "a", name: "Lena" } : { kind: role === "user" ? "visitor" : "bot" },
});
const ready = (seq: number) => ({ type: "stream.ready", seq, status: "bot_active", epoch: 0 });

describe("what a screen reader is told", () => {
  it("is each new message once and whole, of several each, and nothing of what was there", async () => {
    await comes(posted(1, "user", "Hi"), posted(2, "assistant", "Old"), ready(2));
    expect(heard).toEqual([]);
    await comes(posted(3, "user", "More"), { type: "answer.delta", draft_id: "d", reply_to: 3, offset: 0, text: "It c" });
    expect(heard).toEqual([]);
    await comes(posted(4, "agent", "It comes."), posted(5, "agent", "It comes."));
    await comes(posted(5, "agent", "It comes."));
    expect(heard).toEqual(["Lena: It comes.", "Lena: It comes."]);
  });

  it("is the first answer too, though it was there before the line stood, in every new talk", async () => {
    for (const name of ["two", "three"]) {
      session.value = name;
      conversation.value = withPending(emptyConversation(), { client_msg_id: "m1", content: "Hi", role: "user" });
      await nextTick();
      await comes(posted(1, "user", "Hi"), posted(2, "assistant", `Answer ${name}`), ready(2));
    }
    expect(heard).toEqual(["AI assistant: Answer two", "AI assistant: Answer three"]);
  });

  it("is once that something was not sent", async () => {
    const waiting = ["a", "b"].reduce((state, id) => withPending(state, { client_msg_id: id, content: id, role: "user" }), emptyConversation());
    conversation.value = withFailed(withFailed(waiting, "a"), "b");
    await nextTick();
    expect(heard).toEqual(["Not sent"]);
  });
});

describe("that the bot looks for an answer", () => {
  let thinking: Readonly<Ref<boolean>>;
  const released = { type: "session.released", seq: 4, from: "manual_live", to: "bot_active", epoch: 2, actor: { kind: "agent" } };
  const now = () => (vi.advanceTimersByTime(300), thinking.value);

  beforeEach(() => {
    vi.useFakeTimers({ now: Date.parse("2025-06-01T12:00:10Z") });
    mount({ setup: () => ((thinking = useThinking({ conversation })), () => h("i")) });
  });
  afterEach(() => void vi.useRealTimers());

  it("is said while it does, and not of what is answered at once", async () => {
    await comes(posted(2, "user", "Hi"), ready(2));
    expect(thinking.value).toBe(false);
    expect(now()).toBe(true);
    await comes({ type: "answer.delta", draft_id: "d", reply_to: 2, offset: 0, text: "It c" });
    expect(now()).toBe(false);
    await comes({ type: "answer.dropped", draft_id: "d" });
    expect(now()).toBe(true);
    await comes(posted(3, "assistant", "It comes."));
    expect(now()).toBe(false);
  });

  it("is not said of what people were asked, once they have left", async () => {
    await comes(ready(2), { ...released, type: "session.taken_over", seq: 2, from: "bot_active", to: "manual_live", agent: {} });
    await comes(posted(3, "user", "Thanks"), released);
    expect(now()).toBe(false);
    await comes(posted(5, "user", "One more thing"));
    expect(now()).toBe(true);
  });

  it("is not said while the line is down, nor for longer than anybody would look", async () => {
    conversation.value = withPending(emptyConversation(), { client_msg_id: "m2", content: "Hi", role: "user" });
    await nextTick();
    vi.setSystemTime(Date.parse("2025-06-02T12:00:00Z"));
    await comes(posted(2, "user", "Hi"), ready(2));
    expect(now()).toBe(true);
    vi.advanceTimersByTime(30_000);
    conversation.value = withDisconnect(conversation.value);
    await nextTick();
    expect(now()).toBe(false);
    await comes(ready(2));
    expect(now()).toBe(true);
    vi.advanceTimersByTime(15_000);
    expect(now()).toBe(false);
  });

  it("is not said of what has stood there since yesterday", async () => {
    await comes({ ...posted(2, "user", "Hi"), at: "2025-05-31T12:00:00Z" }, ready(2));
    expect(now()).toBe(false);
  });
});

it("Escape leaves the chat wherever the focus is, but not from a dialog or amid a word of an input method", () => {
  const leave = vi.fn();
  const chat = mount({ setup: () => (useEscape(leave), () => h("dialog")) }, { attachTo: document.body });
  const press = (more: KeyboardEventInit = {}) => document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape", bubbles: true, ...more }));
  press({ isComposing: true });
  chat.get("dialog").element.toggleAttribute("open", true);
  press();
  expect(leave).not.toHaveBeenCalled();
  chat.get("dialog").element.removeAttribute("open");
  press();
  chat.unmount();
  press();
  expect(leave).toHaveBeenCalledOnce();
});
