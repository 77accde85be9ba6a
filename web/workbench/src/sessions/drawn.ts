import { computed, nextTick, type Ref, ref, watch } from "vue";

/** So many lines are drawn at first and added at each wish for more; a long talk must not slow down switching. */
export const PORTION = 60;
/** No more are drawn at a time, however far one reads: beyond that they go at the other end. */
const MOST = 6 * PORTION;

/** Which of many lines are drawn: a stretch that is counted from their end, since they grow at both. */
export function useDrawn<L extends { key: string }>(lines: Readonly<Ref<readonly L[]>>, scroller: Readonly<Ref<HTMLElement | null>>) {
  const size = ref(PORTION);
  /** So many lines come after the last one that is drawn. */
  const after = ref(0);
  const drawn = computed(() => {
    const end = lines.value.length - after.value;
    return lines.value.slice(Math.max(0, end - size.value), end);
  });
  const hasEarlier = computed(() => drawn.value[0] !== lines.value[0]);

  // What is new at the end moves nothing that is read further up.
  watch(lines, (now, before) => {
    if (after.value === 0) return;
    const last = before.at(-1)?.key;
    after.value += now.length - 1 - now.findLastIndex(({ key }) => key === last);
  });

  /** More at the top, without what is read moving. */
  function earlier(): Promise<void> {
    return inPlace(scroller.value, () => {
      after.value += Math.max(0, size.value + PORTION - MOST);
      size.value = Math.min(MOST, size.value + PORTION);
    });
  }

  function later(): Promise<void> {
    return inPlace(scroller.value, () => {
      const more = Math.min(PORTION, after.value);
      after.value -= more;
      size.value = Math.min(MOST, size.value + more);
    });
  }

  /** Has the line of this index drawn, with others around it. */
  function reach(index: number): void {
    const fromEnd = lines.value.length - index;
    if (fromEnd > after.value && fromEnd <= after.value + size.value) return;
    after.value = Math.max(0, fromEnd - PORTION / 2);
    size.value = PORTION;
  }

  function end(): void {
    if (after.value === 0) return;
    after.value = 0;
    size.value = PORTION;
  }

  return { drawn, after, hasEarlier, earlier, later, reach, end };
}

/** What is read stays where it is while lines come or go above it. */
async function inPlace(box: HTMLElement | null, change: () => void): Promise<void> {
  const top = box?.getBoundingClientRect().top ?? 0;
  const seen = [...(box?.querySelectorAll("[data-seq]") ?? [])].find((each) => each.getBoundingClientRect().bottom > top);
  const before = seen?.getBoundingClientRect().top ?? 0;
  change();
  await nextTick();
  if (box && seen?.isConnected) box.scrollTop += seen.getBoundingClientRect().top - before;
}
