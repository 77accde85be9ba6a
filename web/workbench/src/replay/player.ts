import { useEventListener, useRafFn } from "@vueuse/core";
import { computed, type Ref, ref } from "vue";
import { useShortcuts } from "../ui/shortcuts";

export const SPEEDS = [0.5, 1, 2, 4, 8, 16] as const;
/** What takes longer is played as if it took so long; the page says how long it was. */
export const LONGEST_MS = 4_000;
/** A tab that was hidden does not catch up. */
const LONGEST_FRAME_MS = 250;
const MANY = 10;

/** The head on the log. `gaps`: the time from each event's predecessor to it, ms. */
export function usePlayer(gaps: Readonly<Ref<readonly number[]>>) {
  const head = ref(0);
  const pace = ref(1);
  const speed = computed(() => SPEEDS[pace.value] ?? 1);
  const last = computed(() => gaps.value.length - 1);
  const next = () => gaps.value[head.value + 1] ?? 0;
  /** What has gone by of the time to the next event. */
  let passed = 0;
  const { isActive: plays, pause, resume } = useRafFn(({ delta }) => pass(Math.min(delta, LONGEST_FRAME_MS) * speed.value), { immediate: false });
  /** The time to the next event where it is not played in full. */
  const skips = computed(() => (plays.value && next() > LONGEST_MS ? next() : 0));

  function pass(ms: number): void {
    passed += ms;
    while (head.value < last.value && passed >= Math.min(next(), LONGEST_MS)) {
      passed -= Math.min(next(), LONGEST_MS);
      head.value += 1;
    }
    if (head.value >= last.value) pause();
  }

  function goTo(index: number): void {
    head.value = Math.max(0, Math.min(last.value, index));
    passed = 0;
  }

  function step(by: number): void {
    pause();
    goTo(head.value + by);
  }

  function toggle(): void {
    if (plays.value) return pause();
    if (head.value >= last.value) goTo(0);
    resume();
  }

  const quicken = (by: 1 | -1) => (pace.value = Math.max(0, Math.min(SPEEDS.length - 1, pace.value + by)));

  return { head, last, plays, pace, speed, skips, goTo, step, pause, toggle, quicken };
}

/** The keys of the page. */
export function usePlayerKeys(player: ReturnType<typeof usePlayer>): void {
  useShortcuts({
    ArrowLeft: () => player.step(-1),
    ArrowRight: () => player.step(1),
    PageUp: () => player.step(-MANY),
    PageDown: () => player.step(MANY),
    Home: () => player.step(-player.last.value),
    End: () => player.step(player.last.value),
    "-": () => player.quicken(-1),
    "+": () => player.quicken(1),
  });
  // On a button or a link the space bar is theirs.
  useEventListener(window, "keydown", (event: KeyboardEvent) => {
    const target = event.target as HTMLElement;
    if (event.key !== " " || target.closest("a, button, summary, input, textarea, select, [role=dialog]")) return;
    event.preventDefault();
    player.toggle();
  });
}
