import { describe, expect, it, vi } from "vitest";
import { frame, iframe, kefu, KEFU, root } from "./page.fixture";
import type { Config } from "./types";

const AGREED: Config = { shop: "demo", consent: true };
const PAGE = "https://shop.example/bikes";

function beacons() {
  const sent = vi.fn<(url: string, body: string) => boolean>().mockReturnValue(true);
  vi.stubGlobal("navigator", Object.assign(Object.create(navigator) as Navigator, { sendBeacon: sent }));
  return sent;
}

function browserSays(what: { doNotTrack?: string; globalPrivacyControl?: boolean }) {
  for (const [name, value] of Object.entries(what)) Object.defineProperty(navigator, name, { value });
}

function leaves() {
  vi.spyOn(document, "visibilityState", "get").mockReturnValue("hidden");
  document.dispatchEvent(new Event("visibilitychange"));
}

const told = (sent: ReturnType<typeof beacons>) =>
  sent.mock.calls.map(([url, body]) => ({ url, events: (JSON.parse(body) as { events: unknown[] }).events }));

describe("what is counted", () => {
  it("is where the chat was seen and opened, without query, in one go when the page is left", () => {
    const sent = beacons();
    history.replaceState(null, "", "/bikes?email=ann@shop.example#t3");
    vi.spyOn(document, "referrer", "get").mockReturnValue("https://search.example/?q=ann");
    kefu.init({ ...AGREED, baseUrl: KEFU });
    kefu.show();
    kefu.open();
    expect(sent).not.toHaveBeenCalled();
    leaves();
    const where = { page: PAGE, referrer: "https://search.example" };
    expect(told(sent)).toEqual([{ url: `${KEFU}/api/funnel?shop=demo`, events: [{ stage: "impression", ...where }, { stage: "open", ...where }] }]);
    leaves();
    expect(sent).toHaveBeenCalledOnce();
  });

  it.each([
    ["nobody agreed", {}, {}],
    ["they said no", { consent: false }, {}],
    ["the browser asks not to be tracked", { consent: true }, { doNotTrack: "1" }],
    ["the browser has Global Privacy Control", { consent: true }, { globalPrivacyControl: true }],
  ])("is nothing when %s", (_why, config, says) => {
    const sent = beacons();
    browserSays(says);
    kefu.init(config);
    kefu.open();
    const { say, told: frameHears } = frame();
    say({ type: "ready" });
    leaves();
    expect(sent).not.toHaveBeenCalled();
    expect(frameHears).toHaveBeenCalledWith({ kefu: 1, type: "page", cameFrom: null }, KEFU);
  });

  it("begins when they agree, and what is not sent is forgotten when they no longer do", () => {
    const sent = beacons();
    history.replaceState(null, "", "/bikes");
    kefu.init({});
    kefu.open();
    kefu.setConsent(true);
    leaves();
    expect(told(sent)).toEqual([{ url: `${KEFU}/api/funnel`, events: [{ stage: "impression", page: PAGE, referrer: "" }] }]);
    kefu.close();
    kefu.open();
    kefu.setConsent(false);
    leaves();
    kefu.destroy();
    expect(sent).toHaveBeenCalledOnce();
  });

  it("does not pile up", () => {
    const sent = beacons();
    kefu.init({ ...AGREED, launcher: false });
    for (let n = 0; n < 25; n++) {
      kefu.open();
      kefu.close();
    }
    expect(told(sent).map(({ events }) => events.length)).toEqual([20]);
    kefu.destroy();
    expect(told(sent).map(({ events }) => events.length)).toEqual([20, 5]);
  });
});

describe("a page that goes on without loading another", () => {
  it.each(["navigation", "popstate", "nothing"])("tells the frame where it is, by %s", (by) => {
    const navigation = new EventTarget();
    if (by === "navigation") vi.stubGlobal("navigation", navigation);
    const sent = beacons();
    history.replaceState(null, "", "/bikes");
    kefu.init(AGREED);
    kefu.open();
    const { say, told: frameHears } = frame();
    say({ type: "ready" });
    const before = iframe();
    history.pushState(null, "", "/bikes/t3?colour=red");
    if (by === "navigation") navigation.dispatchEvent(new Event("currententrychange"));
    if (by === "popstate") window.dispatchEvent(new Event("popstate"));
    kefu.open();
    expect(frameHears).toHaveBeenCalledWith({ kefu: 1, type: "page", cameFrom: { page: `${PAGE}/t3`, referrer: "" } }, KEFU);
    expect(iframe()).toBe(before);
    leaves();
    const [first] = told(sent);
    expect(first?.events).toMatchObject([{ stage: "impression", page: PAGE }, { stage: "open" }, { stage: "impression", page: `${PAGE}/t3` }]);
  });

  it("keeps the chat when the page draws itself anew", () => {
    history.replaceState(null, "", "/bikes");
    kefu.init({});
    document.body.replaceWith(document.createElement("body"));
    expect(root()).toBeTruthy();
    document.documentElement.replaceChildren(document.createElement("head"), document.createElement("body"));
    history.pushState(null, "", "/cart");
    window.dispatchEvent(new Event("popstate"));
    expect(root()).toBeTruthy();
    expect(document.querySelectorAll("#fiido-kefu")).toHaveLength(1);
  });
});
