import { useStorage } from "@vueuse/core";
import { defineStore } from "pinia";

/** What this browser remembers of each session for its agent: the unsent draft. */
export const useRemembered = defineStore("remembered", () => {
  const drafts = useStorage<Record<string, string>>("kefu.drafts", {});

  function keepDraft(name: string, text: string): void {
    const { [name]: _before, ...others } = drafts.value;
    drafts.value = text ? { ...others, [name]: text } : others;
  }

  return { drafts, keepDraft };
});
