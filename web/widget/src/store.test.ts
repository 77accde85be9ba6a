import { afterEach, describe, expect, it, vi } from "vitest";

describe("storage", () => {
  afterEach(() => vi.unstubAllGlobals());

  it("is stood in for where the browser refuses it", async () => {
    vi.stubGlobal("localStorage", {
      setItem: () => {
        throw new DOMException("denied", "SecurityError");
      },
    });
    vi.resetModules();
    const { lasting, ofThisTab } = await import("./store");
    lasting.setItem("a", "1");
    expect([lasting.length, lasting.key(0), lasting.getItem("a")]).toEqual([1, "a", "1"]);
    lasting.removeItem("a");
    expect(lasting.getItem("a")).toBeNull();
    expect(ofThisTab).toBe(sessionStorage);
  });
});
