import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ApiError } from "./failure";
import { newClientMsgId, Outbox, type OutboxEntry, type OutboxOptions } from "./outbox";

class MemoryStorage implements Storage {
  private readonly values = new Map<string, string>();
  get length() {
    return this.values.size;
  }
  key = (index: number) => [...this.values.keys()][index] ?? null;
  getItem = (key: string) => this.values.get(key) ?? null;
  setItem = (key: string, value: string) => void this.values.set(key, value);
  removeItem = (key: string) => void this.values.delete(key);
  clear = () => this.values.clear();
}

let storage: MemoryStorage;
const boxes: Outbox[] = [];

beforeEach(() => {
  storage = new MemoryStorage();
});
afterEach(() => boxes.splice(0).forEach((box) => box.close()));

function outbox(send: OutboxOptions["send"], more: Partial<OutboxOptions> = {}): Outbox {
  const timing = { firstRetryMs: 5, lastRetryMs: 20, lockMs: 20 };
  const box = new Outbox({ session: "s1", send, storage, timing, onChange: () => undefined, ...more });
  boxes.push(box);
  return box;
}

/** Fails as told, once per failure given, then stores each id once, as the server does. */
function shop(...failures: ApiError[]) {
  const stored: string[] = [];
  const seen = new Set<string>();
  const send = vi.fn(async (entry: OutboxEntry) => {
    const failure = failures.shift();
    if (failure) throw failure;
    if (!seen.has(entry.client_msg_id)) stored.push(entry.content);
    seen.add(entry.client_msg_id);
  });
  return { send, stored };
}

const offline = new ApiError(0, "NETWORK", "offline");
const tooLong = new ApiError(422, "VALIDATION_FAILED", "too long");

describe("the outbox", () => {
  it("sends in order and forgets what is stored", async () => {
    const { send, stored } = shop();
    const box = outbox(send);
    for (const text of ["one", "two", "three"]) box.add(text);
    await vi.waitFor(() => expect(stored).toEqual(["one", "two", "three"]));
    await vi.waitFor(() => expect(box.entries()).toEqual([]));
    expect(storage.length).toBe(0);
  });

  it("keeps trying through network loss, 5xx and 429, with the same id and in order", async () => {
    const { send, stored } = shop(offline, new ApiError(503, "BUSY", ""), new ApiError(429, "RATE_LIMITED", "", {}, 30));
    const box = outbox(send);
    box.add("one");
    box.add("two");
    await vi.waitFor(() => expect(stored).toEqual(["one", "two"]));
    expect(new Set(send.mock.calls.slice(0, 4).map(([entry]) => entry.client_msg_id)).size).toBe(1);
  });

  it("respects Retry-After", async () => {
    const { send, stored } = shop(new ApiError(429, "RATE_LIMITED", "", {}, 120));
    const started = Date.now();
    outbox(send).add("one");
    await vi.waitFor(() => expect(stored).toEqual(["one"]));
    expect(Date.now() - started).toBeGreaterThanOrEqual(115);
  });

  it("says while it is held back for sending too much, keeps the words and sends them by itself", async () => {
    const { send, stored } = shop(offline, new ApiError(429, "RATE_LIMITED", "", {}, 60));
    const said: boolean[] = [];
    const box = outbox(send, { onHeld: (held) => said.push(held) });
    box.add("one");
    box.add("two");
    await vi.waitFor(() => expect(said).toEqual([false, true]));
    expect(box.entries().map((entry) => entry.content)).toEqual(["one", "two"]);
    await vi.waitFor(() => expect(stored).toEqual(["one", "two"]));
    expect(said).toEqual([false, true, false, false]);
  });

  it("marks what is refused, goes on with the rest, and can try it again or drop it", async () => {
    const { send, stored } = shop(tooLong, tooLong);
    const onFailed = vi.fn();
    const box = outbox(send, { onFailed });
    const first = box.add("one");
    box.add("two");
    const third = box.add("three");
    await vi.waitFor(() => expect(stored).toEqual(["three"]));
    expect(box.entries().map((entry) => entry.failed?.code)).toEqual(["VALIDATION_FAILED", "VALIDATION_FAILED"]);
    expect(onFailed).toHaveBeenCalledTimes(2);
    box.retry(first.client_msg_id);
    await vi.waitFor(() => expect(stored).toEqual(["three", "one"]));
    box.remove(box.entries()[0]!.client_msg_id);
    expect(box.entries()).toEqual([]);
    expect(third.failed).toBeUndefined();
  });

  it("survives a reload", async () => {
    const before = outbox(async () => Promise.reject(offline));
    before.add("one");
    before.add("two");
    before.close();
    const { send, stored } = shop();
    const onChange = vi.fn();
    outbox(send, { onChange });
    expect(onChange.mock.calls[0]?.[0].map((entry: OutboxEntry) => entry.content)).toEqual(["one", "two"]);
    await vi.waitFor(() => expect(stored).toEqual(["one", "two"]));
  });

  it("stores each message once with two tabs, with a lock, without, where it is refused, and where a tab sleeps with it", async () => {
    const refused = { request: () => Promise.reject(new DOMException("denied", "SecurityError")) };
    const taken = {
      request: (_name: string, { signal }: { signal: AbortSignal }) =>
        new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error))),
    };
    for (const locks of [navigator.locks, undefined, refused, taken]) {
      vi.stubGlobal("navigator", { locks });
      const { send, stored } = shop(offline);
      const [left, right] = [outbox(send), outbox(send)];
      left.add("left 1");
      right.add("right 1");
      left.add("left 2");
      await vi.waitFor(() => expect(storage.length).toBe(0));
      expect(stored.toSorted()).toEqual(["left 1", "left 2", "right 1"]);
      expect(stored.indexOf("left 1")).toBeLessThan(stored.indexOf("left 2"));
      left.close();
      right.close();
    }
    vi.unstubAllGlobals();
  });

  it("keeps the order when the clock goes back by a day", async () => {
    const clock = vi.spyOn(Date, "now").mockReturnValue(Date.now() + 86_400_000);
    const before = outbox(async () => Promise.reject(offline));
    before.add("one");
    before.close();
    clock.mockRestore();
    const { send, stored } = shop();
    const after = outbox(send);
    after.add("two");
    after.add("three");
    await vi.waitFor(() => expect(stored).toEqual(["one", "two", "three"]));
  });

  it("leaves other sessions' messages alone", () => {
    const other = outbox(async () => Promise.reject(offline), { session: "s2" });
    other.add("theirs");
    expect(outbox(shop().send).entries()).toEqual([]);
  });

  it("makes ids the server accepts, on insecure origins too", () => {
    vi.stubGlobal("crypto", { getRandomValues: (bytes: Uint8Array) => bytes.fill(7) });
    expect(newClientMsgId()).toMatch(/^[A-Za-z0-9_.:-]{1,64}$/);
    vi.unstubAllGlobals();
    expect(newClientMsgId()).not.toBe(newClientMsgId());
  });
});
