import { beforeEach, describe, expect, it, vi } from "vitest";
import { kefu, onPhone, panel, root } from "./page.fixture";

const pushed = vi.fn<(state: unknown) => void>();
const left = vi.fn();
let state: unknown;

/** What the browser does: the entry changes, then everybody is told. */
function pops(to: unknown, path = "/bikes"): Event {
  state = to;
  history.replaceState(null, "", path);
  const event = new PopStateEvent("popstate", { state: to, cancelable: true });
  window.dispatchEvent(event);
  return event;
}

const isOpen = () => panel().classList.contains("open");

beforeEach(() => {
  history.replaceState(null, "", "/bikes");
  state = { position: 3 };
  pushed.mockReset().mockImplementation((to) => (state = to));
  left.mockReset();
  vi.spyOn(history, "state", "get").mockImplementation(() => state);
  vi.spyOn(history, "pushState").mockImplementation(pushed);
  vi.spyOn(history, "back").mockImplementation(left);
});

function opened(): void {
  kefu.init({ shop: "demo", locale: "en" });
  onPhone();
  kefu.open();
}

describe("on a phone, Back", () => {
  it("closes the chat and is no word to the page's router, whose own state lies in the entry", () => {
    const router = vi.fn();
    addEventListener("popstate", router);
    opened();
    expect(pushed.mock.calls.map(([to]) => to)).toEqual([{ position: 3, kefu: 1 }]);
    pops({ position: 3 });
    expect([isOpen(), router.mock.calls.length, left.mock.calls.length]).toEqual([false, 0, 0]);
    pops({ position: 2 }, "/");
    expect(router).toHaveBeenCalledOnce();
    removeEventListener("popstate", router);
  });

  it("takes its entry along when the chat is closed in another way", () => {
    const router = vi.fn();
    addEventListener("popstate", router);
    vi.useFakeTimers();
    opened();
    kefu.close();
    kefu.open();
    vi.runAllTimers();
    expect([pushed.mock.calls.length, left.mock.calls.length]).toEqual([1, 0]);
    kefu.close();
    vi.runAllTimers();
    expect(left).toHaveBeenCalledOnce();
    pops({ position: 3 });
    expect(router).not.toHaveBeenCalled();
    removeEventListener("popstate", router);
  });

  it("takes its entry along, and not the chat, when there is room beside that again", () => {
    vi.useFakeTimers();
    opened();
    onPhone(false);
    vi.runAllTimers();
    expect(left).toHaveBeenCalledOnce();
    pops({ position: 3 });
    expect(isOpen()).toBe(true);
  });

  it("stays the page's where that closes the chat and goes elsewhere at once", () => {
    vi.useFakeTimers();
    opened();
    kefu.close();
    state = { position: 4 };
    vi.runAllTimers();
    expect(left).not.toHaveBeenCalled();
  });

  it("is the page's too while that goes about behind the chat", () => {
    const router = vi.fn();
    addEventListener("popstate", router);
    opened();
    pops(null, "/bikes#sizes");
    expect([isOpen(), router.mock.calls.length]).toEqual([true, 1]);
    removeEventListener("popstate", router);
  });
});

it("on a desk nothing is written into the history", () => {
  kefu.init({});
  kefu.open();
  kefu.close();
  expect(pushed).not.toHaveBeenCalled();
});

it("keeps the chat to what a keyboard leaves to see, but not to what somebody has zoomed in on", () => {
  const seen = Object.assign(new EventTarget(), { height: 640, offsetTop: 0, scale: 1 });
  vi.stubGlobal("visualViewport", seen);
  opened();
  Object.assign(seen, { height: 320, offsetTop: 80 });
  seen.dispatchEvent(new Event("scroll"));
  expect([panel().style.height, panel().style.top]).toEqual(["320px", "80px"]);
  Object.assign(seen, { height: 160, offsetTop: 10, scale: 2 });
  seen.dispatchEvent(new Event("resize"));
  expect(panel().style.height).toBe("320px");
  kefu.close();
  Object.assign(seen, { scale: 1 });
  seen.dispatchEvent(new Event("resize"));
  expect([panel().style.height, panel().style.top]).toEqual(["", ""]);
  expect(root()).toBeTruthy();
});
