import type { Component } from "vue";
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
  { key: "tags", label: "tags.title", part: SessionTags },
];
