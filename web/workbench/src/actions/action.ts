import type { Keys } from "./keys";

export const GROUPS = ["conversation", "list", "pages", "duty", "look", "help"] as const;
export type Group = (typeof GROUPS)[number];

/** One thing that can be done at the desk. From these the palette, the keys and the sheet are made. */
export interface Action {
  id: string;
  group: Group;
  /** Keys of the catalogue; more than one say it from the general to the particular. */
  words: readonly [string, ...string[]];
  keys?: readonly Keys[];
  /** Whether it can be done now; always, if it is not given. */
  when?: () => boolean;
  do: () => unknown;
}
