import { afterEach, describe, expect, it, vi } from "vitest";

async function loaded() {
  vi.resetModules();
  return await import("./store");
}

/** A storage with room for values of so many characters. */
function small(room: { left: number }): Storage {
  const { sessionStorage: real } = window;
  return new Proxy(real, {
    get(_storage, name) {
      if (name !== "setItem") return typeof real[name as keyof Storage] === "function" ? real[name as "clear"].bind(real) : real[name as "length"];
      return (key: string, value: string) => {
        if (value.length > room.left) throw new DOMException("full", "QuotaExceededError");
        real.setItem(key, value);
      };
    },
  });
}

describe("storage", () => {
  afterEach(() => {
    vi.unstubAllGlobals();
    sessionStorage.clear();
  });

  it("is the page's memory where the browser refuses it", async () => {
    const denied = () => {
      throw new DOMException("denied", "SecurityError");
    };
    vi.stubGlobal("localStorage", new Proxy({}, { get: denied }));
    const { lasting, ofThisTab } = await loaded();
    lasting.setItem("a", "1");
    expect([lasting.length, lasting.key(0), lasting.getItem("a"), lasting.forgets("a")]).toEqual([1, "a", "1", true]);
    lasting.removeItem("a");
    expect([lasting.getItem("a"), lasting.forgets("a")]).toEqual([null, false]);
    ofThisTab.setItem("b", "2");
    expect([sessionStorage.getItem("b"), ofThisTab.forgets("b")]).toEqual(["2", false]);
  });

  it("remembers by itself what there is no room for, and what it replaces", async () => {
    const room = { left: 100 };
    vi.stubGlobal("sessionStorage", small(room));
    const { ofThisTab } = await loaded();
    ofThisTab.setItem("a", "short");
    room.left = 0;
    ofThisTab.setItem("a", "longer");
    ofThisTab.setItem("b", "new");
    expect([ofThisTab.length, ofThisTab.getItem("a"), ofThisTab.getItem("b")]).toEqual([2, "longer", "new"]);
    room.left = 100;
    ofThisTab.setItem("a", "short again");
    expect([sessionStorage.getItem("a"), ofThisTab.forgets("a"), ofThisTab.forgets("b")]).toEqual(["short again", false, true]);
    ofThisTab.clear();
    expect(ofThisTab.length).toBe(0);
  });
});
