import { describe, expect, it, vi } from "vitest";
import { defineElement } from "./element";
import { button, frame, iframe, inner, kefu, KEFU, onPhone, panel, root, started } from "./page.fixture";

describe("the launcher", () => {
  it("loads nothing until somebody wants to talk", () => {
    kefu.init({ shop: "demo" });
    expect(iframe()).toBeNull();
    button().dispatchEvent(new Event("pointerenter"));
    const src = new URL(iframe()!.dataset.src!);
    expect(src.origin + src.pathname).toBe(`${KEFU}/embed`);
    expect(Object.fromEntries(src.searchParams)).toMatchObject({ shop: "demo", parent: "https://shop.example" });
    expect(panel().classList).not.toContain("open");
  });

  it("is at hand when idle for somebody who has talked before", async () => {
    const { say } = started();
    say({ type: "conversation", session: "s1" });
    kefu.destroy();
    kefu.init({ shop: "demo" });
    expect(iframe()).toBeNull();
    await vi.waitFor(() => expect(iframe()).not.toBeNull());
  });

  it("opens and closes, says so to assistive technology, and gives the focus back", () => {
    kefu.init({ locale: "en" });
    expect(button().getAttribute("aria-label")).toBe("Open customer chat");
    button().click();
    expect(button().getAttribute("aria-expanded")).toBe("true");
    expect(iframe()!.title).toBe("Customer chat");
    root().dispatchEvent(new KeyboardEvent("keydown", { key: "Escape" }));
    expect(panel().classList).not.toContain("open");
    expect(root().activeElement).toBe(button());
  });

  it("gives the focus back to the page's own button, if that opened the chat", () => {
    document.body.innerHTML = `<button id="own">Help</button>`;
    const own = document.querySelector<HTMLElement>("#own")!;
    kefu.init({ launcher: false });
    own.focus();
    kefu.open();
    iframe()!.focus();
    kefu.close();
    expect(document.activeElement).toBe(own);
  });

  it("counts the unread while closed", () => {
    const { say } = started();
    kefu.close();
    say({ type: "unread", count: 2 });
    expect(root().querySelector(".badge")!.textContent).toBe("2");
    expect(button().getAttribute("aria-label")).toBe("Open customer chat, 2 unread");
    say({ type: "unread", count: 120 });
    expect(root().querySelector(".badge")!.textContent).toBe("99+");
    kefu.open();
    expect(root().querySelector<HTMLElement>(".badge")!.hidden).toBe(true);
  });

  it("fills a phone, keeps the page still under it, and can be maximised on a desk", () => {
    const { say } = started();
    expect(panel().dataset.layout).toBe("panel");
    say({ type: "maximise", on: true });
    expect(panel().dataset.layout).toBe("maximised");
    expect(button().hidden, "the only way out while nothing has come").toBe(false);
    say({ type: "ready" });
    expect(button().hidden).toBe(true);
    onPhone();
    expect(panel().dataset.layout).toBe("full");
    expect([getComputedStyle(document.documentElement).overflow, document.body.inert]).toEqual(["hidden", true]);
    say({ type: "close" });
    expect([getComputedStyle(document.documentElement).overflow, document.body.inert]).not.toContain("hidden");
    expect(document.body.inert).toBe(false);
    expect(button().hidden).toBe(false);
  });

  it("can be hidden, shown and put on the left", () => {
    kefu.init({ launcher: false, position: "bottom-left", theme: "dark" });
    expect(button().hidden).toBe(true);
    kefu.show();
    expect(button().hidden).toBe(false);
    kefu.hide();
    expect(button().hidden).toBe(true);
    expect(root().querySelector(".left")).not.toBeNull();
    expect(getComputedStyle(root().querySelector(".left")!).colorScheme).toBe("dark");
  });
});

describe("the door to the frame", () => {
  it("keeps messages until the frame is ready and then posts to its exact origin", () => {
    const { say, told, types } = started();
    kefu.sendMessage("Hello");
    expect(told).not.toHaveBeenCalled();
    say({ type: "ready" });
    expect(types()).toEqual(["layout", "page", "layout", "opened", "send", "layout"]);
    expect(new Set(told.mock.calls.map(([, origin]) => origin))).toEqual(new Set([KEFU]));
    expect(told).toHaveBeenCalledWith({ kefu: 1, type: "send", text: "Hello" }, KEFU);
  });

  it("is asked for again when the network is back, as long as the chat has not come", () => {
    const { say } = started();
    const asked = vi.spyOn(HTMLIFrameElement.prototype, "src", "set").mockClear();
    window.dispatchEvent(new Event("online"));
    expect(asked).toHaveBeenCalledOnce();
    say({ type: "ready" });
    window.dispatchEvent(new Event("online"));
    expect(asked).toHaveBeenCalledOnce();
  });

  it("does not listen to another origin, another window or another protocol", () => {
    const unread = vi.fn();
    kefu.on("unread", unread);
    const { say } = started();
    say({ type: "unread", count: 1 }, { origin: "https://evil.example" });
    say({ type: "unread", count: 1 }, { source: window });
    window.dispatchEvent(new MessageEvent("message", { data: "unread", origin: KEFU }));
    expect(unread).not.toHaveBeenCalled();
    say({ type: "unread", count: 1 });
    expect(unread).toHaveBeenCalledExactlyOnceWith({ count: 1 });
  });

  it("passes on user, card, language and logout, also to a frame that comes later", () => {
    kefu.init({ locale: "en" });
    kefu.setUser({ id: "u1" });
    kefu.setContext({ kind: "product", title: "C1 City" });
    kefu.open();
    const { say, types, told } = frame();
    say({ type: "ready" });
    kefu.setLocale("zh-CN");
    kefu.identify("a.b.c");
    kefu.setUser({ id: 7, identifier_hash: "ab", nickname: "Ada", email: "ada@shop.example" });
    kefu.logout();
    expect(types().filter((type) => type !== "layout" && type !== "page")).toEqual(["user", "context", "opened", "locale", "user", "user", "closed", "logout"]);
    expect(told).toHaveBeenCalledWith({ kefu: 1, type: "user", proof: { token: "a.b.c" } }, KEFU);
    const full = { identifier: "7", identifier_hash: "ab", name: "Ada", email: "ada@shop.example" };
    expect(told).toHaveBeenCalledWith({ kefu: 1, type: "user", proof: full }, KEFU);
    expect(button().getAttribute("aria-label")).toBe("打开客服聊天");
  });
});

describe("the page's interface", () => {
  it("makes calls from before init afterwards, in order", () => {
    kefu.open();
    kefu.sendMessage("early");
    kefu.init({});
    const { say, types } = frame();
    say({ type: "ready" });
    expect(types()).toContain("send");
    expect(panel().classList).toContain("open");
  });

  it("lets listeners come, go and fail alone", () => {
    const failed = vi.fn();
    vi.stubGlobal("reportError", failed);
    const [bad, good, gone] = [vi.fn(() => { throw new Error("shop's bug"); }), vi.fn(), vi.fn()];
    kefu.on("status", bad);
    kefu.on("status", good);
    kefu.on("status", gone)();
    const { say } = started();
    say({ type: "status", status: "manual_live" });
    expect(good).toHaveBeenCalledWith({ status: "manual_live" });
    expect(gone).not.toHaveBeenCalled();
    expect(failed).toHaveBeenCalledOnce();
    kefu.off("status");
    say({ type: "status", status: "closed" });
    expect(good).toHaveBeenCalledOnce();
  });

  it("works as an element", () => {
    defineElement(inner);
    document.body.innerHTML = `<fiido-chat api-url="https://other.example/" position="bottom-left" auto-open></fiido-chat>`;
    expect(iframe()!.dataset.src).toMatch(/^https:\/\/other\.example\/embed\?/);
    expect(panel().classList).toContain("open");
    document.querySelector("fiido-chat")!.remove();
    expect(document.querySelector("#fiido-kefu")).toBeNull();
  });

  it("takes the language of the page when none is given", () => {
    document.documentElement.lang = "zh-Hans";
    kefu.init({});
    expect(button().getAttribute("aria-label")).toBe("打开客服聊天");
    expect((root().host as HTMLElement).lang, "whatever a page's own is").toBe("zh");
    document.documentElement.lang = "";
  });
});
