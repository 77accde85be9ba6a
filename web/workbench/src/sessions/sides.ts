import type { Component } from "vue";
import HistorySide from "../histories/HistorySide.vue";
import NotesSide from "../collaboration/NotesSide.vue";
import SessionTags from "../tags/SessionTags.vue";
import SessionDetails from "./SessionDetails.vue";
import type { Standing } from "./standing";
import type { Thread } from "./thread";

/** A tab of the panel beside a conversation. Each is given the `thread` and the `standing`. */
export interface Side {
  key: string;
  label: string;
  part: Component<{ thread: Thread; standing: Standing }>;
}

export const SIDES: readonly [Side, ...Side[]] = [
  { key: "details", label: "side.details", part: SessionDetails },
  { key: "notes", label: "collaboration.notes", part: NotesSide },
  { key: "history", label: "histories.title", part: HistorySide },
  { key: "tags", label: "tags.title", part: SessionTags },
];
