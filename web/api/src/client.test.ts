import { describe, expect, it, vi } from "vitest";
import { createClient } from "./client";
import { ApiError } from "./failure";

function answering(response: () => Response | Promise<Response>) {
  const send = vi.fn(async (..._call: Parameters<typeof fetch>) => response());
  return { send, client: createClient({ base: "/api", token: () => "t", locale: () => "zh", fetch: send }) };
}

describe("a request", () => {
  it("carries token, language, query and JSON", async () => {
    const { send, client } = answering(() => Response.json({ success: true, data: 3 }));
    const answer = await client.request<{ data: number }>("/sessions", { body: { a: 1 }, query: { limit: 5, cursor: null } });
    expect(answer.data).toBe(3);
    const [url, init] = send.mock.calls[0] ?? [];
    expect(url).toBe("/api/sessions?limit=5");
    expect(init).toMatchObject({ method: "POST", body: '{"a":1}' });
    const headers = new Headers(init?.headers);
    expect([headers.get("Authorization"), headers.get("Accept-Language")]).toEqual(["Bearer t", "zh"]);
  });

  it("fails with the server's code, words, details and pause", async () => {
    const error = { code: "RATE_LIMITED", message: "慢一点", details: { limit: 3 } };
    const { client } = answering(() => Response.json({ success: false, error }, { status: 429, headers: { "Retry-After": "2" } }));
    const failure = await client.request("/x").catch((thrown: unknown) => thrown);
    expect(failure).toBeInstanceOf(ApiError);
    expect(failure).toMatchObject({ status: 429, ...error, retryAfterMs: 2_000, isTransient: true });
  });

  it("fails the same way without a JSON body, without a network and in time", async () => {
    const { client: broken } = answering(() => new Response("<h1>Bad gateway</h1>", { status: 502, statusText: "Bad Gateway" }));
    await expect(broken.request("/x")).rejects.toMatchObject({ status: 502, code: "HTTP_ERROR", message: "Bad Gateway" });
    const { client: offline } = answering(() => Promise.reject(new TypeError("fetch failed")));
    await expect(offline.request("/x")).rejects.toMatchObject({ status: 0, code: "NETWORK", isTransient: true });
    const slow = createClient({
      fetch: (_url, init) => new Promise((_resolve, reject) => init?.signal?.addEventListener("abort", () => reject(init.signal?.reason))),
    });
    await expect(slow.request("/x", { timeoutMs: 5 })).rejects.toMatchObject({ status: 0, code: "TIMED_OUT" });
  });
});
