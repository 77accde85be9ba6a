import { ApiError, type Client, emptyConversation } from "@kefu/api";
import { mount } from "@vue/test-utils";
import { h, nextTick, shallowRef } from "vue";
import { beforeEach, expect, it, vi } from "vitest";
import { useReaching } from "./reaching";
import { locale } from "./words";

const closed = { is_in_shift: false, next_opening: null, closes_at: null };
const conversation = shallowRef(emptyConversation());
const escalate = vi.fn<() => Promise<boolean>>();
const leave = vi.fn<() => Promise<boolean>>();
const said = vi.fn();
let reaching: ReturnType<typeof useReaching>;

beforeEach(() => {
  locale.value = "en";
  sessionStorage.clear();
  conversation.value = emptyConversation();
  const open = { request: () => Promise.resolve({ data: closed }) } as unknown as Client;
  mount({ setup: () => ((reaching = useReaching({ conversation, escalate, leave }, open, "demo", said)), () => h("i")) });
});

it("says that nobody was reached until one is, whoever brought that about, and the server's own words when it was too often", async () => {
  escalate.mockRejectedValueOnce(new ApiError(0, "NETWORK", ""));
  await reaching.escalate();
  expect(reaching.notice.value).toBe("We could not reach the team. Please try again.");
  escalate.mockRejectedValueOnce(new ApiError(429, "RATE_LIMITED", "Too often. Try again in 30 seconds."));
  await reaching.escalate();
  expect(reaching.notice.value).toBe("Too often. Try again in 30 seconds.");
  conversation.value = { ...conversation.value, status: "manual_live" };
  await nextTick();
  expect(reaching.notice.value).toBe("");
  escalate.mockRejectedValueOnce(new Error("?"));
  await reaching.escalate();
  escalate.mockResolvedValueOnce(true);
  await reaching.escalate();
  expect([reaching.notice.value, reaching.letter.isOpen]).toEqual(["", false]);
});

it("offers to leave an address when nobody serves, keeps what was typed while it does not arrive, and says where the answer goes", async () => {
  escalate.mockResolvedValueOnce(false);
  await reaching.escalate();
  expect(reaching.letter.isOpen).toBe(true);
  Object.assign(reaching.letter, { email: "anna@example.com", message: "E07" });
  leave.mockRejectedValueOnce(new ApiError(0, "NETWORK", ""));
  await reaching.sendLetter();
  expect([reaching.state.value, reaching.letter.message, reaching.letter.isOpen]).toEqual(["failed", "E07", true]);
  leave.mockResolvedValueOnce(true);
  await reaching.sendLetter();
  expect([reaching.state.value, reaching.letter.message, reaching.letter.isOpen]).toEqual(["ready", "", false]);
  expect(said).toHaveBeenCalledExactlyOnceWith("We have your message and will answer to anna@example.com. You can add to it here.");
});
