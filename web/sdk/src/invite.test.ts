import { afterEach, beforeEach, describe, expect, it, type Mock, vi } from "vitest";
import { begin, fits, type Invitation, type Inviting } from "./invite";
import type { Context } from "./types";

const words = (text: string) => ({ en: text, zh: "" });
const AT_ONCE: Invitation = { id: "inv_a", text: words("Hello"), seconds: 2, url: "", cart: null };

describe("an invitation fits", () => {
  const now = { page: "https://shop.example/de/bikes/C11?size=m", seconds: 30, cart: 100 };
  it.each([
    [{ url: "" }, true],
    [{ url: "/bikes/" }, true],
    [{ url: "/*/BIKES/*size=m" }, true],
    [{ url: "/bikes/c1.?size" }, false],
    [{ url: "/cart" }, false],
    [{ seconds: 31 }, false],
    [{ cart: 100 }, true],
    [{ cart: 100.5 }, false],
  ])("%j: %j", (rule, isDue) => {
    expect(fits({ ...AT_ONCE, ...rule }, now)).toBe(isDue);
  });
});

describe("on a page", () => {
  let chat: { settings: Inviting["settings"]; context: Context | null; open: Mock<() => void>; post: Mock<Inviting["post"]> };
  let launcher: HTMLButtonElement;
  const shown = () => launcher.parentElement!.querySelector<HTMLElement>(".invitation");
  const after = (seconds: number) => vi.advanceTimersByTime(seconds * 1_000);

  beforeEach(() => {
    vi.useFakeTimers();
    localStorage.clear();
    const host = document.body.appendChild(document.createElement("div"));
    host.id = "fiido-kefu";
    const root = host.attachShadow({ mode: "open" });
    root.innerHTML = `<div><button class="launcher" aria-expanded="false"></button></div>`;
    launcher = root.querySelector("button")!;
    chat = { settings: { shop: "demo", locale: "zh" }, context: null, open: vi.fn(), post: vi.fn() };
  });
  afterEach(() => {
    document.body.replaceChildren();
    vi.unstubAllGlobals();
    vi.restoreAllMocks();
    vi.useRealTimers();
  });

  it("it comes when it is due, opens the chat with its words, and comes to nobody twice", () => {
    begin(chat, [{ ...AT_ONCE, cart: 50 }, { ...AT_ONCE, id: "inv_b", seconds: 600 }]);
    after(10);
    expect(shown()).toBeNull();
    chat.context = { cart: 50 };
    after(1);
    expect(shown()?.textContent).toContain("Hello");
    shown()!.querySelector<HTMLElement>(".words")!.click();
    expect([chat.open.mock.calls.length, chat.post.mock.lastCall, shown()]).toEqual([1, [{ type: "invitation", id: "inv_a", text: "Hello" }], null]);
    expect(vi.getTimerCount(), "one for each page").toBe(0);
    begin(chat, [AT_ONCE]);
    after(60);
    expect(shown()).toBeNull();
  });

  it("it goes when it is sent away, and with the launcher", () => {
    begin(chat, [AT_ONCE]);
    after(2);
    shown()!.querySelector<HTMLElement>(".away")!.click();
    launcher.click();
    expect([shown(), chat.open.mock.calls.length]).toEqual([null, 0]);
    begin(chat, [{ ...AT_ONCE, id: "inv_b" }]);
    after(2);
    launcher.click();
    expect([shown(), chat.open.mock.calls.length]).toEqual([null, 1]);
  });

  it("its time is the one that the page is seen, from its beginning on", () => {
    begin(chat, [AT_ONCE]);
    const hidden = vi.spyOn(document, "hidden", "get").mockReturnValue(true);
    after(10);
    hidden.mockRestore();
    after(1);
    history.pushState(null, "", "/other");
    after(1);
    expect(shown()).toBeNull();
    after(1);
    expect(shown()).not.toBeNull();
  });

  it.each([
    ["the chat was opened", () => launcher.setAttribute("aria-expanded", "true")],
    ["the launcher is hidden", () => (launcher.hidden = true)],
    ["the chat has left the page", () => document.querySelector("#fiido-kefu")!.remove()],
    ["the browser would not remember it", () => vi.stubGlobal("localStorage", { getItem: () => null, setItem: () => undefined })],
  ])("none comes when %s", (_why, happen) => {
    begin(chat, [AT_ONCE]);
    happen();
    after(5);
    expect(launcher.parentElement!.querySelector(".invitation")).toBeNull();
  });
});
