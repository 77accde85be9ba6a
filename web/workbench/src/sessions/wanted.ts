import { computed, nextTick, type Ref, watch } from "vue";
import { useRoute } from "vue-router";

interface Place {
  /** Have the line of this index drawn. */
  reach: (index: number) => void;
  scroller: Readonly<Ref<HTMLElement | null>>;
  /** It has been brought into sight. */
  shown: () => void;
  /** When what it returns changes, the line is looked for again. */
  again: () => unknown;
}

/** A search leads to one message, `?at=` its seq: it is shown in the middle, once, as soon as it is there. */
export function useWanted(lines: Readonly<Ref<readonly { key: string }[]>>, place: Place) {
  const route = useRoute();
  const wanted = computed(() => Number(route.query.at) || undefined);
  const index = computed(() => lines.value.findIndex((line) => line.key === `seq ${wanted.value}`));
  const isShown = computed(() => index.value >= 0);

  async function showWanted() {
    place.reach(index.value);
    await nextTick();
    place.scroller.value?.querySelector(`[data-seq="${wanted.value}"]`)?.scrollIntoView({ block: "center" });
    place.shown();
  }

  watch([wanted, isShown, place.again], () => isShown.value && void showWanted(), { flush: "post" });
  return { wanted, isShown, showWanted };
}
