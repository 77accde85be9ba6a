import { useStorage } from "@vueuse/core";
import { defineStore } from "pinia";

const SEEN_KEPT = 500;

/** What this browser remembers of each session for its agent: the unsent draft, and how far it was read. */
export const useRemembered = defineStore("remembered", () => {
  const drafts = useStorage<Record<string, string>>("kefu.drafts", {});
  /** Unix seconds of the last message looked at. */
  const seen = useStorage<Record<string, number>>("kefu.seen", {});

  function keepDraft(name: string, text: string): void {
    const { [name]: _before, ...others } = drafts.value;
    drafts.value = text ? { ...others, [name]: text } : others;
  }

  function see(name: string, at: number): void {
    if ((seen.value[name] ?? 0) >= at) return;
    const { [name]: _before, ...others } = seen.value;
    seen.value = Object.fromEntries([...Object.entries(others).slice(1 - SEEN_KEPT), [name, at]]);
  }

  return { drafts, seen, keepDraft, see };
});
