import { beforeEach, describe, expect, it, vi } from "vitest";
import { defineChatwoot } from "./chatwoot";
import { defineIntercom } from "./intercom";
import { button, frame, iframe, kefu, KEFU, panel, root } from "./page.fixture";

beforeEach(() => {
  for (const name of ["chatwootSDK", "$chatwoot", "chatwootSettings", "Intercom", "intercomSettings"]) Reflect.deleteProperty(window, name);
});

function heardOf(names: string[]): [string, unknown][] {
  const heard: [string, unknown][] = [];
  for (const name of names) {
    addEventListener(`chatwoot:${name}`, (event) => heard.push([name, (event as CustomEvent<unknown>).detail]), { once: true });
  }
  return heard;
}

describe("a page written for Chatwoot", () => {
  it("goes on as it is", async () => {
    window.chatwootSettings = { position: "left", locale: "zh_CN", darkMode: "dark", hideMessageBubble: true };
    defineChatwoot(kefu);
    const heard = heardOf(["ready", "opened", "on-start-conversation", "on-message", "on-unread-message-count-changed", "error", "closed"]);
    window.chatwootSDK!.run({ websiteToken: "demo", baseUrl: KEFU });
    const { $chatwoot } = window;
    await vi.waitFor(() => expect($chatwoot!.hasLoaded).toBe(true));
    expect(button().hidden).toBe(true);
    expect(button().getAttribute("aria-label")).toBe("打开客服聊天");
    expect(root().querySelector(".left")).not.toBeNull();
    $chatwoot!.toggleBubbleVisibility("show");
    expect(button().hidden).toBe(false);
    $chatwoot!.setUser(7, { name: "Ann", email: "ann@shop.example", identifier_hash: "ab" });
    $chatwoot!.setCustomAttributes();
    $chatwoot!.toggle("open");
    $chatwoot!.toggle("open");
    expect($chatwoot!.isOpen).toBe(true);
    expect(new URL(iframe()!.dataset.src!).searchParams.get("shop")).toBe("demo");
    const { say, told, types } = frame();
    say({ type: "ready" });
    say({ type: "conversation", session: "s1" });
    say({ type: "message", role: "user", content: "Hi", seq: 2 });
    say({ type: "unread", count: 3 });
    say({ type: "error", code: "RATE_LIMITED" });
    expect($chatwoot!.unreadMessageCount).toBe(3);
    $chatwoot!.setLocale("en");
    $chatwoot!.toggle();
    expect(panel().classList).not.toContain("open");
    $chatwoot!.reset();
    const proof = { identifier: "7", identifier_hash: "ab", name: "Ann", email: "ann@shop.example" };
    expect(told).toHaveBeenCalledWith({ kefu: 1, type: "user", proof }, KEFU);
    expect(types().slice(-3)).toEqual(["layout", "closed", "logout"]);
    expect(heard).toEqual([
      ["ready", {}],
      ["opened", {}],
      ["on-start-conversation", {}],
      ["on-message", { content: "Hi", message_type: 0 }],
      ["on-unread-message-count-changed", { unreadMessageCount: 3 }],
      ["error", { code: "RATE_LIMITED" }],
      ["closed", {}],
    ]);
  });

  it("runs once, and takes a token that is no shop's id as none", () => {
    defineChatwoot(kefu);
    window.chatwootSDK!.run({ websiteToken: "b6BejyTTuxF4yPt61ZTZHjdB", baseUrl: KEFU });
    const { $chatwoot } = window;
    window.chatwootSDK!.run({});
    expect(window.$chatwoot).toBe($chatwoot);
    kefu.open();
    expect(new URL(iframe()!.dataset.src!).searchParams.has("shop")).toBe(false);
  });
});

describe("a page written for Intercom", () => {
  it("goes on as it is, with the calls it left before", async () => {
    const [ready, shown, hidden, unread] = [vi.fn(), vi.fn(), vi.fn(), vi.fn()];
    const stub = Object.assign(() => undefined, {
      q: [["ready", ready], ["onShow", shown], ["onHide", hidden], ["onUnreadCountChange", unread], ["toString"], ["startTour", 7]],
    });
    window.Intercom = stub;
    window.intercomSettings = { app_id: "demo", api_base: KEFU, alignment: "left", user_id: "u1", user_hash: "cd", name: "Ann" };
    defineIntercom(kefu);
    window.Intercom("show");
    expect(panel().classList).toContain("open");
    expect(root().querySelector(".left")).not.toBeNull();
    const { say, told, types } = frame();
    say({ type: "ready" });
    say({ type: "unread", count: 2 });
    window.Intercom("boot", window.intercomSettings);
    window.Intercom("update", { language_override: "zh", hide_default_launcher: true });
    expect(button().hidden).toBe(true);
    window.Intercom("update", {});
    expect(button().hidden).toBe(false);
    window.Intercom("show");
    window.Intercom("hide");
    window.Intercom("shutdown");
    expect(told).toHaveBeenCalledWith({ kefu: 1, type: "user", proof: { identifier: "u1", identifier_hash: "cd", name: "Ann" } }, KEFU);
    expect(types()).toContain("locale");
    expect(types().at(-1)).toBe("logout");
    expect(button().hidden).toBe(true);
    await Promise.resolve();
    expect(ready).toHaveBeenCalledOnce();
    expect(shown).toHaveBeenCalledTimes(2);
    expect(hidden).toHaveBeenCalledTimes(2);
    expect(unread).toHaveBeenCalledWith(2);
    expect(document.querySelectorAll("#fiido-kefu")).toHaveLength(1);
  });
});
