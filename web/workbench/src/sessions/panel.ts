import { useLocalStorage, useMediaQuery } from "@vueuse/core";
import { defineStore } from "pinia";
import { ref, watch } from "vue";

/** The panel beside the conversation: whether it is open, and at which side. */
export const usePanel = defineStore("panel", () => {
  const isWide = useMediaQuery("(min-width: 80rem)");
  const shown = ref(isWide.value);
  const side = useLocalStorage("kefu.side", "details");
  /** Set until the side that was asked for has been given the focus. */
  const wantsFocus = ref(false);

  watch(isWide, (now) => (shown.value = now));

  /** Opens it there, to write or choose at once. */
  function show(key: string): void {
    [side.value, shown.value, wantsFocus.value] = [key, true, true];
  }

  return { isWide, shown, side, wantsFocus, show };
});
