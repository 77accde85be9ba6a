import type { LogEvent } from "@kefu/api";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { ToFrame } from "../../sdk/src/protocol";
import { connectHost, newsOf, toldTo } from "./host";

const SHOP = "https://shop.example";
const page = { postMessage: vi.fn() };

function says(message: ToFrame, origin = SHOP, source: unknown = page): void {
  const event = new MessageEvent("message", { data: { kefu: 1, ...message }, origin });
  Object.defineProperty(event, "source", { value: source });
  window.dispatchEvent(event);
}

afterEach(() => vi.restoreAllMocks());

const moved = (type: string, facts: object) => ({ type, seq: 4, at: "", actor: { kind: "system" }, ...facts }) as unknown as LogEvent;

describe("the door to the shop's page", () => {
  it("knows where the visitor is from that page alone, and only while it may be counted", () => {
    vi.spyOn(window, "parent", "get").mockReturnValue(page as unknown as Window);
    const orders = vi.fn();
    const host = connectHost(SHOP, orders);
    const cameFrom = { page: `${SHOP}/bikes`, referrer: "" };
    says({ type: "page", cameFrom }, "https://evil.example");
    says({ type: "page", cameFrom }, SHOP, window);
    expect(host.cameFrom()).toBeNull();
    says({ type: "page", cameFrom });
    expect(toldTo(host).cameFrom()).toEqual(cameFrom);
    says({ type: "page", cameFrom: null });
    expect(host.cameFrom()).toBeNull();
    says({ type: "opened" });
    expect(orders.mock.calls).toEqual([[{ kefu: 1, type: "opened" }]]);
    toldTo(host).onNews(moved("session.rated", { score: 4 }));
    expect(page.postMessage.mock.calls).toEqual([[{ kefu: 1, type: "rating", score: 4 }, SHOP]]);
    host.close();
    says({ type: "closed" });
    expect(orders).toHaveBeenCalledOnce();
  });

  it.each([
    [moved("message.posted", { role: "user", content: "Hi" }), { type: "message", role: "user", content: "Hi", seq: 4 }],
    [moved("session.escalated", { to: "pending_manual" }), { type: "handoff", to: "queue" }],
    [moved("session.taken_over", { agent: { id: "a", name: "Lena" } }), { type: "handoff", to: "agent", agent: "Lena" }],
    [moved("session.released", {}), { type: "handoff", to: "bot" }],
    [moved("session.closed", {}), undefined],
  ])("tells of what the shop may want to know: %o", (event, told) => {
    expect(newsOf(event)[0]).toEqual(told);
  });
});
