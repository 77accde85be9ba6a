import { useEventListener } from "@vueuse/core";
import type { Ref } from "vue";
import { onBeforeRouteLeave } from "vue-router";

/** Asks before what is not saved is left behind, as the browser does when its tab is closed. Returns that question. */
export function useLeaving(dirty: Readonly<Ref<boolean>>, question: () => string): () => boolean {
  const mayLeave = () => !dirty.value || window.confirm(question());
  onBeforeRouteLeave(mayLeave);
  useEventListener(window, "beforeunload", (event) => dirty.value && event.preventDefault());
  return mayLeave;
}
