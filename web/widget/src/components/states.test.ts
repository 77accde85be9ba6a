/** How each part of the chat looks while something is missing, on its way or has failed. */
import { ApiError, emptyConversation, type SessionStatus, withFailed, withPending } from "@kefu/api";
import { flushPromises, mount } from "@vue/test-utils";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { type MessageRow, rows } from "../rows";
import type { Shift } from "../shift";
import { locale } from "../words";
import ContextCard from "./ContextCard.vue";
import HistoryPanel from "./HistoryPanel.vue";
import MessageBubble from "./MessageBubble.vue";
import MessageList from "./MessageList.vue";
import Notices from "./Notices.vue";
import RatingCard from "./RatingCard.vue";

beforeEach(() => void (locale.value = "en"));

describe("above the conversation", () => {
  const all = { offline: false, held: false, status: "bot_active" as SessionStatus, shift: null as Shift | null, hours: "", failed: "" };
  const closed = { is_in_shift: false, next_opening: null } as unknown as Shift;
  const notices = (now: Partial<typeof all>) => mount(Notices, { props: { ...all, ...now } });
  const read = (now: Partial<typeof all>) => notices(now).findAll("[role=status]").map((one) => one.get("span").text());

  it("stands nothing as long as all is well", () => {
    expect(read({})).toEqual([]);
    expect(read({ shift: closed })).toEqual([]);
  });

  it("stands that the line is down, or that more was written than may be sent in a minute, in both languages", () => {
    expect(read({ offline: true, held: true })).toEqual(["No connection. Reconnecting; your messages will be sent when it is back."]);
    expect(read({ held: true })).toEqual(["That was quick! The rest of your messages will be sent by themselves within a minute."]);
    locale.value = "zh";
    expect(read({ offline: true })).toEqual(["连接已断开，正在重新连接。您的消息会在恢复后自动发出。"]);
  });

  it("stands what the shop says while nobody serves, and to who waits how to be answered all the same", async () => {
    expect(read({ shift: closed, hours: "Closed until Easter." })).toEqual(["Closed until Easter."]);
    expect(read({ shift: closed, hours: "Closed until Easter.", status: "closed" })).toEqual([]);
    const waiting = notices({ shift: closed, hours: "Closed until Easter.", status: "pending_manual" });
    await waiting.get("button").trigger("click");
    expect([waiting.text(), waiting.emitted("leave")?.length]).toEqual([expect.stringContaining("Leave e-mail"), 1]);
  });

  it("stands what was refused until it is read", async () => {
    const refused = notices({ failed: "We could not reach the team. Please try again." });
    await refused.get("button").trigger("click");
    expect(refused.emitted("dismiss")).toHaveLength(1);
  });
});

describe("the conversation", () => {
  const list = (now: object) =>
    mount(MessageList, { props: { conversation: emptyConversation(), brought: [], thinking: false, loading: false, welcome: "Hello!", suggestions: ["Where is it?"], ...now } });

  it("begins with the welcome and what may be asked, by one click", async () => {
    const empty = list({});
    await empty.get("ul button").trigger("click");
    expect([empty.text(), empty.emitted("ask")]).toEqual([expect.stringContaining("Hello!"), [["Where is it?"]]]);
  });

  it("says that what was said before is on its way, and offers nothing meanwhile", () => {
    const loading = list({ loading: true });
    expect([loading.get("[role=status]").text(), loading.find("ul").exists()]).toEqual(["Loading…", false]);
  });

  it("says that something is on its way to the visitor, and that their own words did not arrive", async () => {
    expect(list({ thinking: true }).get(".typing").text()).toBe("Looking for an answer…");
    const sending = withPending(emptyConversation(), { client_msg_id: "m1", content: "Hi", role: "user" });
    expect(list({ conversation: sending }).get(".meta").text()).toBe("Sending");
    const failed = list({ conversation: withFailed(sending, "m1") });
    expect(failed.get(".meta").text()).toContain("Not sent");
    for (const button of failed.findAll(".meta button")) await button.trigger("click");
    expect([failed.emitted("retry"), failed.emitted("discard")]).toEqual([[["m1"]], [["m1"]]]);
  });

  it("offers a person below an answer that is none, as long as the bot serves", async () => {
    const state = withPending(emptyConversation(), { client_msg_id: "m1", content: "?", role: "user" });
    const row = { ...(rows(state)[0] as MessageRow), side: "bot" as const, state: "stored" as const, unanswered: true };
    const offered = mount(MessageBubble, { props: { row, canEscalate: true, isLatest: true } });
    await offered.get(".person").trigger("click");
    expect(offered.emitted("escalate")).toHaveLength(1);
    for (const over of [{ canEscalate: false, isLatest: true }, { canEscalate: true, isLatest: false }]) {
      expect(mount(MessageBubble, { props: { row, ...over } }).find(".person").exists()).toBe(false);
    }
  });
});

it("a product or an order is shown with what the page gave, without a picture that does not come", async () => {
  const card = { kind: "order", title: "NV-20418", detail: "Shipped", image: "https://shop.example/gone.png" } as const;
  const shown = mount(ContextCard, { props: { card } });
  expect(shown.text()).toContain("Order");
  await shown.get("img").trigger("error");
  expect(shown.find("img").exists()).toBe(false);
  await shown.setProps({ card: { kind: "product", title: "T3", image: "https://shop.example/t3.png" } });
  expect([shown.get("img").attributes("src"), shown.text()]).toEqual(["https://shop.example/t3.png", expect.stringContaining("You are viewing")]);
  for (const button of shown.findAll("button")) await button.trigger("click");
  expect([shown.emitted("send")?.length, shown.emitted("remove")?.length]).toEqual([1, 1]);
});

describe("earlier chats", () => {
  const past = { session_name: "s1", created_at: "2025-06-01T12:00:00Z", status: "closed", rating: 4, last_message: { content: "Thanks" } };

  it("are on their way, did not come and may be asked for again, are none, or are there", async () => {
    const request = vi.fn<() => Promise<unknown>>();
    const chat = { client: { request }, session: { value: "now" } };
    let answer: (found: object) => void = () => undefined;
    const comes = (sessions: object[]) => ({ data: { sessions, next_cursor: null } });
    request.mockRejectedValueOnce(new ApiError(0, "NETWORK", ""));
    const panel = mount(HistoryPanel, { props: { chat: chat as never, hasTalk: false } });
    await flushPromises();
    expect(panel.get("[role=alert]").text()).toContain("This could not be loaded.");
    request.mockReturnValueOnce(new Promise((resolve) => (answer = resolve)));
    await panel.get("[role=alert] button").trigger("click");
    expect([panel.find("[role=alert]").exists(), panel.get("[role=status]").text()]).toEqual([false, "Loading…"]);
    answer(comes([]));
    await flushPromises();
    expect(panel.get(".empty").text()).toContain("No earlier chats yet");
    request.mockResolvedValueOnce(comes([past]));
    const known = mount(HistoryPanel, { props: { chat: chat as never, hasTalk: true } });
    await flushPromises();
    expect([known.findAll(".talk").length, known.get(".talk").text(), known.get(".current").text()]).toEqual([1, expect.stringContaining("Thanks"), expect.stringContaining("Download")]);
  });
});

it("a rating that did not arrive is said to be so and kept, and may be left", async () => {
  const send = vi.fn<(verdict: object) => Promise<void>>().mockRejectedValueOnce(new ApiError(0, "NETWORK", ""));
  const reasonsOf = () => Promise.resolve([{ id: "r1", name: "Quick answers", is_praise: true }, { id: "r2", name: "Slow", is_praise: false }]);
  const card = mount(RatingCard, { props: { send, reasonsOf } });
  expect(card.find("textarea").exists()).toBe(false);
  await card.findAll("input")[4]!.setValue();
  await flushPromises();
  expect(card.findAll(".reasons button").map((one) => one.text())).toEqual(["Quick answers"]);
  await card.get(".reasons button").trigger("click");
  await card.get("textarea").setValue(" Kind ");
  await card.get("form").trigger("submit");
  await flushPromises();
  expect(card.get("[role=alert]").text()).toBe("Your rating was not sent. Please try again.");
  await card.get("form").trigger("submit");
  expect(send.mock.calls).toEqual([1, 2].map(() => [{ score: 5, comment: "Kind", reasons: ["r1"] }]));
  await card.get(".later").trigger("click");
  expect(card.emitted("dismiss")).toHaveLength(1);
});
