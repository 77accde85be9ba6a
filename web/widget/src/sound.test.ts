import { chime, emptyConversation, withoutPending, withPending } from "@kefu/api";
import { mount } from "@vue/test-utils";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { nextTick, ref, shallowRef } from "vue";
import type { Chat } from "./chat";
import { useLeaveWarning, useSound } from "./signals";
import { lasting } from "./store";

// There is no loudspeaker here.
vi.mock(import("@kefu/api"), async (original) => ({ ...(await original()), chime: vi.fn() }));

function within<T>(use: () => T): T {
  let made!: T;
  mount({ setup: () => ((made = use()), () => null) });
  return made;
}

describe("what comes", () => {
  const unread = ref(0);
  const rings = async (count: number) => {
    unread.value = count;
    await nextTick();
    return vi.mocked(chime).mock.calls.length;
  };

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["Date"], now: new Date("2026-11-27T12:00:00") });
    vi.mocked(chime).mockClear();
    lasting.clear();
    unread.value = 0;
  });
  afterEach(() => void vi.useRealTimers());

  it("is heard unless it is seen, the visitor wants it off, or it is night", async () => {
    let seen = false;
    const sound = within(() => useSound({ unread } as unknown as Chat, () => seen));
    expect(await rings(1)).toBe(1);
    expect(await rings(0)).toBe(1);
    seen = true;
    expect(await rings(1)).toBe(1);
    seen = false;
    vi.setSystemTime(new Date("2026-11-27T23:30:00"));
    expect(await rings(2)).toBe(1);
    vi.setSystemTime(new Date("2026-11-28T08:00:00"));
    expect(await rings(3)).toBe(2);
    sound.toggle();
    expect(await rings(4)).toBe(2);
    expect(within(() => useSound({ unread } as unknown as Chat, () => seen)).on.value, "after a reload").toBe(false);
  });
});

describe("who leaves", () => {
  const leaves = () => {
    const leaving = new Event("beforeunload", { cancelable: true });
    window.dispatchEvent(leaving);
    return leaving.defaultPrevented ? "is asked" : "goes";
  };

  it("is asked only while something is neither sent nor kept", async () => {
    const conversation = shallowRef(emptyConversation());
    within(() => useLeaveWarning({ conversation } as unknown as Chat));
    const forgets = vi.spyOn(lasting, "forgets").mockReturnValue(true);
    expect(leaves()).toBe("goes");
    conversation.value = withPending(conversation.value, { client_msg_id: "m1", content: "One", role: "user" });
    await nextTick();
    expect(leaves()).toBe("is asked");
    conversation.value = withoutPending(conversation.value, "m1");
    await nextTick();
    expect(leaves()).toBe("goes");
    forgets.mockReturnValue(false);
    conversation.value = withPending(conversation.value, { client_msg_id: "m2", content: "Two", role: "user" });
    await nextTick();
    expect(leaves()).toBe("goes");
  });
});
