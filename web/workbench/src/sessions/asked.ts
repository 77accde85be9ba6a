import { createEventHook } from "@vueuse/core";
import { computed, ref } from "vue";

export type Question = "transfer" | "ask" | "assign" | "close" | "find";

/** Which dialog, or which bar, of the open conversation is shown: one at a time, whoever asked for it. */
const asked = ref<Question>();

export function useAsked(which: Question) {
  return computed({
    get: () => asked.value === which,
    set: (open) => (asked.value = open ? which : undefined),
  });
}

export const ask = (which: Question | undefined): void => void (asked.value = which);

/** Somebody wants to write there. */
export const focusWanted = createEventHook<"composer" | "search">();
