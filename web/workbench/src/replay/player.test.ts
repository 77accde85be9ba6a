// @vitest-environment happy-dom
import { enableAutoUnmount, mount } from "@vue/test-utils";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { defineComponent, h, ref } from "vue";
import { usePlayer, usePlayerKeys } from "./player";

enableAutoUnmount(afterEach);
beforeEach(() => void vi.useFakeTimers({ toFake: ["requestAnimationFrame", "cancelAnimationFrame", "performance"] }));
afterEach(() => void vi.useRealTimers());

/** A player over events with these times between them, and the page around it. */
function playing(...gaps: number[]) {
  let player!: ReturnType<typeof usePlayer>;
  const page = defineComponent(() => {
    player = usePlayer(ref(gaps));
    usePlayerKeys(player);
    return () => h("button");
  });
  const { element } = mount(page, { attachTo: document.body });
  const press = (key: string, on: Element = document.body) => on.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
  return { player, press, button: element as Element };
}

test("events come as far apart as they were, and a long wait is shortened and told", () => {
  const { player } = playing(0, 1000, 60_000, 0, 500);
  player.toggle();
  vi.advanceTimersByTime(900);
  expect([player.head.value, player.skips.value]).toEqual([0, 0]);
  vi.advanceTimersByTime(300);
  expect([player.head.value, player.skips.value]).toEqual([1, 60_000]);
  vi.advanceTimersByTime(4_000);
  expect(player.head.value).toBe(3);
  vi.advanceTimersByTime(1_000);
  expect([player.head.value, player.plays.value]).toEqual([4, false]);
});

test("faster is faster, and at the end it begins anew", () => {
  const { player } = playing(0, 4000, 4000);
  for (let n = 0; n < 9; n += 1) player.quicken(1);
  expect(player.speed.value).toBe(16);
  player.toggle();
  vi.advanceTimersByTime(600);
  expect([player.head.value, player.plays.value]).toEqual([2, false]);
  player.toggle();
  expect([player.head.value, player.plays.value]).toEqual([0, true]);
});

test("the keys move the head and stop the play; on a button the space bar is the button's", () => {
  const { player, press, button } = playing(0, 9000, 9000, 9000);
  press(" ");
  expect(player.plays.value).toBe(true);
  press("ArrowRight");
  expect([player.head.value, player.plays.value]).toEqual([1, false]);
  const heads = ["End", "ArrowRight", "ArrowLeft", "Home", "ArrowLeft"].map((key) => (press(key, button), player.head.value));
  expect(heads).toEqual([3, 3, 2, 0, 0]);
  press(" ", button);
  expect(player.plays.value).toBe(false);
});
