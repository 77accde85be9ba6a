import { useStorage } from "@vueuse/core";
import { defineStore } from "pinia";
import { computed } from "vue";
import { useAccount } from "../accounts/account";
import { focusWanted } from "./asked";
import { useRemembered } from "./remembered";
import type { Thread } from "./thread";

/** Whether what this agent sends waits a moment, in which it can be taken back. */
export const useUndoSend = defineStore("undoSend", () => {
  const account = useAccount();
  const remembered = useRemembered();
  /** Ids of agents: this browser may be used by several. */
  const wanted = useStorage<string[]>("kefu.undoSend", []);
  const me = computed(() => account.agent?.id ?? "");
  const isOn = computed({
    get: () => wanted.value.includes(me.value),
    set: (on) => (wanted.value = [...wanted.value.filter((id) => id !== me.value), ...(on ? [me.value] : [])]),
  });

  /** The words, and what was attached, are again where they were written. */
  function takeBack(thread: Thread): void {
    const entry = thread.takeBack();
    if (!entry) return;
    remembered.putBack(thread.name, entry.content);
    void focusWanted.trigger("composer");
  }

  return { isOn, takeBack };
});
