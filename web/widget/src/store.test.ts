import { afterEach, describe, expect, it, vi } from "vitest";

async function loaded(): Promise<typeof import("./store")> {
  vi.resetModules();
  return await import("./store");
}

describe("storage", () => {
  afterEach(() => {
    vi.unstubAllGlobals();
    vi.restoreAllMocks();
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
    const { ofThisTab } = await loaded();
    ofThisTab.setItem("a", "short");
    const full = vi.spyOn(Storage.prototype, "setItem").mockImplementation(() => {
      throw new DOMException("full", "QuotaExceededError");
    });
    ofThisTab.setItem("a", "longer");
    ofThisTab.setItem("b", "new");
    expect([ofThisTab.length, ofThisTab.getItem("a"), ofThisTab.getItem("b")]).toEqual([2, "longer", "new"]);
    full.mockRestore();
    ofThisTab.setItem("a", "short again");
    expect([sessionStorage.getItem("a"), ofThisTab.forgets("a"), ofThisTab.forgets("b")]).toEqual(["short again", false, true]);
    ofThisTab.clear();
    expect(ofThisTab.length).toBe(0);
  });
});
