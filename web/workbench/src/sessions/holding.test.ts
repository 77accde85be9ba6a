import { Outbox, type OutboxEntry } from "@kefu/api";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { HOLD_MS, Holding } from "./holding";

/** As a browser keeps it, for all its tabs. */
class Store implements Storage {
  private readonly kept = new Map<string, string>();
  get length() {
    return this.kept.size;
  }
  clear = () => this.kept.clear();
  key = (index: number) => [...this.kept.keys()][index] ?? null;
  getItem = (key: string) => this.kept.get(key) ?? null;
  setItem = (key: string, value: string) => void this.kept.set(key, value);
  removeItem = (key: string) => void this.kept.delete(key);
}

const sent: string[] = [];

function tab(storage: Storage) {
  const holding = new Holding(() => outbox);
  const send = async (entry: OutboxEntry) => (await holding.isOver(entry)) && sent.push(`${entry.content} ${entry.client_msg_id}`);
  const outbox: Outbox = new Outbox({ session: "s", send, onChange: () => undefined, storage });
  const says = (content: string) => {
    holding.release();
    const entry = outbox.add(content, { held_until: Date.now() + HOLD_MS });
    holding.begin(entry);
    return `${content} ${entry.client_msg_id}`;
  };
  return { holding, outbox, says };
}

beforeEach(() => {
  vi.useFakeTimers();
  sent.length = 0;
});
afterEach(() => vi.useRealTimers());

test("a message goes when its time is over, once, with the id of the first press", async () => {
  const { holding, outbox, says } = tab(new Store());
  const said = says("Hello");
  await vi.advanceTimersByTimeAsync(HOLD_MS - 100);
  expect([holding.entry.value?.content, sent]).toEqual(["Hello", []]);
  await vi.advanceTimersByTimeAsync(1_000);
  expect([holding.entry.value, sent, outbox.entries()]).toEqual([undefined, [said], []]);
});

test("what is taken back is not sent, and what comes after it is", async () => {
  const { holding, outbox, says } = tab(new Store());
  says("Helo");
  outbox.remove(holding.entry.value?.client_msg_id ?? "");
  holding.release();
  const said = says("Hello");
  await vi.advanceTimersByTimeAsync(2 * HOLD_MS);
  expect(sent).toEqual([said]);
});

test("another message sends the one before it at once, in their order", async () => {
  const { says } = tab(new Store());
  const first = says("One");
  await vi.advanceTimersByTimeAsync(100);
  const second = says("Two");
  await vi.advanceTimersByTimeAsync(100);
  expect(sent).toEqual([first]);
  await vi.advanceTimersByTimeAsync(HOLD_MS + 500);
  expect(sent).toEqual([first, second]);
});

test("what must be said before something else is done goes at once, also what waits behind another", async () => {
  const storage = new Store();
  const before = tab(storage);
  const first = before.says("One");
  before.outbox.close();
  const { holding, says } = tab(storage);
  const second = says("Two");
  holding.release();
  await vi.advanceTimersByTimeAsync(100);
  expect([...new Set(sent)]).toEqual([first, second]);
});

test("a page that dies loses nothing: the next one sends it, with the same id", async () => {
  const storage = new Store();
  const { outbox, says } = tab(storage);
  const said = says("Hello");
  outbox.close();
  const next = tab(storage);
  expect(next.outbox.entries().map(({ content }) => content)).toEqual(["Hello"]);
  await vi.advanceTimersByTimeAsync(HOLD_MS + 500);
  // Whoever sends it a second time sends the same, which the server stores once.
  expect(new Set(sent)).toEqual(new Set([said]));
  expect(next.outbox.entries()).toEqual([]);
});

test("a clock that was set back keeps nothing", async () => {
  const { says } = tab(new Store());
  vi.setSystemTime(Date.now());
  const said = says("Hello");
  vi.setSystemTime(Date.now() - 3_600_000);
  await vi.advanceTimersByTimeAsync(HOLD_MS + 500);
  expect(sent).toEqual([said]);
});
