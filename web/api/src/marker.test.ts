import { expect, it, vi } from "vitest";
import { Marker } from "./marker";

it("tells only the furthest of what was read while it spoke", async () => {
  const answers: (() => void)[] = [];
  const tell = vi.fn(() => new Promise<void>((resolve) => answers.push(resolve)));
  const marker = new Marker(tell);
  for (const seq of [3, 5, 4, 7]) marker.read(seq);
  expect(tell.mock.calls).toEqual([[3]]);
  answers.shift()?.();
  await vi.waitFor(() => expect(tell.mock.calls).toEqual([[3], [7]]));
  answers.shift()?.();
  await Promise.resolve();
  marker.read(6);
  expect(tell).toHaveBeenCalledTimes(2);
});

it("makes up for what failed with the next word", async () => {
  const tell = vi.fn().mockRejectedValueOnce(new Error("offline")).mockResolvedValue(undefined);
  const marker = new Marker(tell);
  marker.read(3);
  await Promise.resolve();
  marker.read(3);
  await vi.waitFor(() => expect(tell.mock.calls).toEqual([[3], [3]]));
});
