import { type Component, defineAsyncComponent } from "vue";
import SessionDetails from "./SessionDetails.vue";
import type { Standing } from "./standing";
import type { Thread } from "./thread";

/** A tab of the panel beside a conversation. Each is given the `thread` and the `standing`. */
export interface Side {
  key: string;
  label: string;
  part: Component<{ thread: Thread; standing: Standing }>;
}

/** The others come when they are first looked at: the desk is to be there soon. */
const NotesSide = defineAsyncComponent(() => import("../collaboration/NotesSide.vue"));
const HistorySide = defineAsyncComponent(() => import("../histories/HistorySide.vue"));
const HelpSide = defineAsyncComponent(() => import("../assisting/HelpSide.vue"));
const SessionTags = defineAsyncComponent(() => import("../tags/SessionTags.vue"));

export const SIDES: readonly [Side, ...Side[]] = [
  { key: "details", label: "side.details", part: SessionDetails },
  { key: "help", label: "side.help", part: HelpSide },
  { key: "notes", label: "collaboration.notes", part: NotesSide },
  { key: "history", label: "histories.title", part: HistorySide },
  { key: "tags", label: "tags.title", part: SessionTags },
];
