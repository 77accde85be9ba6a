import { useStorage } from "@vueuse/core";
import { defineStore } from "pinia";
import { request } from "../accounts/client";
import { type DraftState, DraftSync, type KeptDraft } from "./draftSync";

interface Answer {
  data: KeptDraft & { is_ours: boolean };
}

const pathOf = (name: string) => `/api/sessions/${encodeURIComponent(name)}/draft`;

/** The unsent drafts of this browser's agent: here at once, and on the server a moment later. */
export const useRemembered = defineStore("remembered", () => {
  const drafts = useStorage<Record<string, string>>("kefu.drafts", {});
  const states = useStorage<Record<string, DraftState>>("kefu.drafts.states", {});

  const sync = new DraftSync({
    text: (name) => drafts.value[name] ?? "",
    setText: keep,
    state: (name) => states.value[name],
    setState: (name, state) => (states.value = { ...states.value, [name]: state }),
    load: async (name) => (await request<Answer>(pathOf(name))).data,
    save: async (name, draft, isLast) =>
      (await request<Answer>(pathOf(name), { method: "PUT", body: draft, keepalive: isLast })).data,
  });

  function keep(name: string, text: string): void {
    const { [name]: _before, ...others } = drafts.value;
    drafts.value = text ? { ...others, [name]: text } : others;
  }

  function keepDraft(name: string, text: string): void {
    keep(name, text);
    sync.changed(name);
  }

  /** What was not sent after all stands before what was begun since. */
  function putBack(name: string, text: string): void {
    const begun = drafts.value[name];
    keepDraft(name, begun ? `${text}\n${begun}` : text);
  }

  return {
    drafts,
    states,
    keepDraft,
    putBack,
    openDraft: (name: string, isWriting?: () => boolean) => sync.open(name, isWriting),
    flushDraft: (name: string) => sync.flush(name),
    useDraft: (name: string) => sync.use(name),
  };
});
