import { beforeEach, describe, expect, it, vi } from "vitest";
import { defineElement } from "./element";
import { iframe, inner, kefu, KEFU, panel, root, started } from "./page.fixture";
import type { Call, ChatEvents, FiidoKefu } from "./types";

const CALLS = [
  "init", "open", "close", "toggle", "show", "hide", "sendMessage", "setUser", "identify", "setContext", "setLocale",
  "setConsent", "on", "off", "logout", "destroy", "push",
];
const EVENTS: (keyof ChatEvents)[] = [
  "ready", "open", "close", "message", "unread", "status", "handoff", "rating", "conversation", "error",
];
const CHATWOOT = [
  "websiteToken", "baseUrl", "locale", "position", "hideMessageBubble", "hasLoaded", "isOpen", "unreadMessageCount",
  "toggle", "toggleBubbleVisibility", "setUser", "setLocale", "reset", "setCustomAttributes", "deleteCustomAttribute",
  "setConversationCustomAttributes", "deleteConversationCustomAttribute", "setLabel", "removeLabel", "setColorScheme",
  "popoutChatWindow",
];

/** The script as it runs on a page, with what lies there before it. */
async function loaded(file: "./index" | "./compat", before: Partial<Window> = {}): Promise<FiidoKefu> {
  Object.assign(window, before);
  vi.resetModules();
  await import(file === "./index" ? "./index" : "./compat");
  return window.FiidoKefu as FiidoKefu;
}

beforeEach(() => {
  for (const name of ["FiidoKefu", "FiidoChat", "FiidoKefuConfig", "Intercom", "chatwootSDK", "$chatwoot"]) Reflect.deleteProperty(window, name);
});

describe("the names a page may use", () => {
  it("are these, and no other comes onto the page", async () => {
    const before = new Set(Object.keys(window));
    const chat = await loaded("./index");
    expect(Object.keys(window).filter((name) => !before.has(name)).toSorted()).toEqual(["FiidoChat", "FiidoKefu"]);
    expect(window.FiidoChat).toBe(chat);
    expect(Object.keys(chat)).toEqual(CALLS);
    expect(Object.isFrozen(chat)).toBe(true);
    chat.init({ baseUrl: KEFU });
    chat.open();
    expect(Object.keys(window).filter((name) => !before.has(name))).toHaveLength(2);
    expect(document.cookie).toBe("");
    chat.destroy();
  });

  it("are these of other makers in the script that stands in for theirs", async () => {
    const before = new Set(Object.keys(window));
    const chat = await loaded("./compat");
    window.chatwootSDK?.run({ baseUrl: KEFU });
    const added = Object.keys(window).filter((name) => !before.has(name));
    expect(added.toSorted()).toEqual(["$chatwoot", "FiidoChat", "FiidoKefu", "Intercom", "chatwootSDK"]);
    expect(Object.keys(window.$chatwoot!).toSorted()).toEqual(CHATWOOT.toSorted());
    chat.destroy();
  });

  it("tell the page ten things, by listeners and as events of the window", () => {
    const heard: string[] = [];
    for (const name of EVENTS) {
      kefu.on(name, (detail) => heard.push(`${name} ${JSON.stringify(detail)}`));
      addEventListener(`fiido-kefu:${name}`, (event) => heard.push(`${event.type} ${JSON.stringify((event as CustomEvent).detail)}`), { once: true });
    }
    const { say } = started();
    say({ type: "ready" });
    say({ type: "conversation", session: "s1" });
    say({ type: "message", role: "agent", content: "Hi", seq: 7 });
    say({ type: "unread", count: 1 });
    say({ type: "status", status: "manual_live" });
    say({ type: "handoff", to: "agent", agent: "Lena" });
    say({ type: "rating", score: 5 });
    say({ type: "error", code: "IDENTITY_EXPIRED" });
    kefu.close();
    expect(heard.filter((line) => !line.startsWith("fiido-kefu:"))).toEqual([
      "ready {}",
      "open {}",
      'conversation {"session":"s1"}',
      'message {"role":"agent","content":"Hi","seq":7}',
      'unread {"count":1}',
      'status {"status":"manual_live"}',
      'handoff {"to":"agent","agent":"Lena"}',
      'rating {"score":5}',
      'error {"code":"IDENTITY_EXPIRED"}',
      "close {}",
    ]);
    const asEvents = heard.filter((line) => line.startsWith("fiido-kefu:")).map((line) => line.slice("fiido-kefu:".length));
    expect(asEvents).toEqual(heard.filter((line) => !line.startsWith("fiido-kefu:")));
  });
});

describe("before the script has come", () => {
  it.each([
    ["a list", [["sendMessage", "early"]] satisfies Call[], undefined],
    ["a stub", { q: [["sendMessage", "early"]] satisfies Call[] }, undefined],
    ["the older name", undefined, [["init", { baseUrl: KEFU }], ["sendMessage", "early"]] satisfies Call[]],
  ])("calls are kept in %s", async (_where, queue, older) => {
    const chat = await loaded("./index", { FiidoKefu: queue, FiidoChat: older, FiidoKefuConfig: { baseUrl: KEFU } });
    expect(panel().classList).toContain("open");
    chat.destroy();
  });

  it("a call that is unknown stops none of the others, and the same line works afterwards", async () => {
    const warned = vi.spyOn(console, "warn").mockReturnValue();
    const chat = await loaded("./index", { FiidoKefu: [["fly"], ["constructor"], ["init", { baseUrl: KEFU }]] });
    expect(warned).toHaveBeenCalledTimes(2);
    chat.push(["open"], ["close"]);
    expect(panel().classList).not.toContain("open");
    chat.destroy();
  });

  it("the page's own work goes first: the chat comes when that is done, or is called", async () => {
    const later = await loaded("./index", { FiidoKefuConfig: { baseUrl: KEFU, shop: "demo" } });
    expect(document.querySelector("#fiido-kefu")).toBeNull();
    await vi.waitFor(() => expect(root()).toBeTruthy());
    expect(iframe()).toBeNull();
    later.destroy();
    delete window.FiidoKefu;
    const called = await loaded("./index", { FiidoKefuConfig: { baseUrl: KEFU } });
    called.show();
    expect(root()).toBeTruthy();
    called.destroy();
  });
});

describe("a second chat", () => {
  it("is refused by the first, which goes on", () => {
    const warned = vi.spyOn(console, "warn").mockReturnValue();
    const refused = vi.fn();
    kefu.on("error", refused);
    kefu.init({ shop: "demo" });
    const first = root();
    kefu.init({ shop: "demo" });
    expect(refused).not.toHaveBeenCalled();
    kefu.init({ shop: "other" });
    expect(refused).toHaveBeenCalledExactlyOnceWith({ code: "ALREADY_RUNNING" });
    expect(warned).toHaveBeenCalledOnce();
    expect(root()).toBe(first);
    expect(document.querySelectorAll("#fiido-kefu")).toHaveLength(1);
  });

  it("is refused as an element, whose going is not the first one's end", () => {
    vi.spyOn(console, "warn").mockReturnValue();
    defineElement(inner);
    kefu.init({ shop: "demo" });
    document.body.innerHTML = `<fiido-chat shop="other"></fiido-chat>`;
    document.querySelector("fiido-chat")!.remove();
    expect(root()).toBeTruthy();
  });

  it("is refused as a script, which leaves the first one's calls in place", async () => {
    const warned = vi.spyOn(console, "warn").mockReturnValue();
    const first = await loaded("./index", { FiidoKefuConfig: { baseUrl: KEFU } });
    first.open();
    const second = await loaded("./index");
    expect(second).toBe(first);
    expect(warned).toHaveBeenCalledOnce();
    expect(panel().classList).toContain("open");
    first.destroy();
  });
});

describe("its end", () => {
  it("leaves nothing behind: no element, no listener, no timer, no style", () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval"] });
    const listening = new Map<string, number>();
    for (const target of [window, document] as EventTarget[]) {
      const [add, remove] = [target.addEventListener.bind(target), target.removeEventListener.bind(target)];
      const count = (name: string, by: number) => listening.set(name, (listening.get(name) ?? 0) + by);
      vi.spyOn(target, "addEventListener").mockImplementation((...call: Parameters<typeof add>) => (count(call[0], 1), add(...call)));
      vi.spyOn(target, "removeEventListener").mockImplementation((...call: Parameters<typeof add>) => (count(call[0], -1), remove(...call)));
    }
    const before = document.documentElement.outerHTML;
    localStorage.setItem("kefu.talked.demo", "1");
    const heard = vi.fn();
    kefu.on("close", heard);
    kefu.init({ shop: "demo", consent: true });
    kefu.destroy();
    kefu.init({ shop: "demo", consent: true });
    kefu.open();
    expect([...listening.values()].some((count) => count > 0)).toBe(true);
    kefu.destroy();
    expect([...listening].filter(([, count]) => count !== 0)).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
    expect(document.documentElement.outerHTML).toBe(before);
    kefu.init({ shop: "demo" });
    kefu.open();
    kefu.close();
    expect(heard).not.toHaveBeenCalled();
  });

  it("comes before a chat that was only planned", async () => {
    inner.plan({ shop: "demo" });
    kefu.destroy();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(document.querySelector("#fiido-kefu")).toBeNull();
  });

  it("lets a listener who comes late hear that the chat is ready", async () => {
    kefu.init({});
    const ready = vi.fn();
    kefu.on("ready", ready);
    await Promise.resolve();
    expect(ready).toHaveBeenCalledExactlyOnceWith({});
  });
});
