import { useEventListener, useRafFn } from "@vueuse/core";
import { computed, type Ref, ref } from "vue";

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

type Player = ReturnType<typeof usePlayer>;

const KEYS: Readonly<Record<string, (player: Player) => unknown>> = {
  ArrowLeft: ({ step }) => step(-1),
  ArrowRight: ({ step }) => step(1),
  PageUp: ({ step }) => step(-MANY),
  PageDown: ({ step }) => step(MANY),
  Home: ({ step, last }) => step(-last.value),
  End: ({ step, last }) => step(last.value),
  "-": ({ quicken }) => quicken(-1),
  "+": ({ quicken }) => quicken(1),
  " ": ({ toggle }) => toggle(),
};
/** Who has the keys before the page; the space bar is also a button's and a link's. */
const OTHERS = "input, textarea, select, dialog, [role=dialog], [popover]";
const PRESSED = "a, button, summary";

export function usePlayerKeys(player: Player): void {
  useEventListener(window, "keydown", (event: KeyboardEvent) => {
    const act = KEYS[event.key];
    if (!act || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (!(event.target instanceof Element) || event.target.closest(event.key === " " ? `${OTHERS}, ${PRESSED}` : OTHERS)) return;
    event.preventDefault();
    act(player);
  });
}
