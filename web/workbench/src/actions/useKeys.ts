import { useEventListener } from "@vueuse/core";
import type { Action } from "./action";
import { edits, holdsIn, keysOf } from "./keys";

/** Whatever lies above the desk has the keys to itself. */
const ABOVE = "dialog, [role=dialog], [popover]";
const FIELDS = "input, textarea, select, [contenteditable]";

/** Does the action whose keys are pressed, if it can be done now. */
export function useKeys(actions: readonly Action[]): void {
  const byKeys = new Map(actions.flatMap((action) => (action.keys ?? []).map((keys) => [keys, action] as const)));
  useEventListener(window, "keydown", (event: KeyboardEvent) => {
    if (event.defaultPrevented || event.isComposing || !(event.target instanceof Element)) return;
    const keys = keysOf(event);
    const action = byKeys.get(keys);
    if (!action || event.target.closest(ABOVE)) return;
    const field = event.target.closest<HTMLInputElement>(FIELDS);
    if (!holdsIn(keys, { isTyping: field !== null, isEmpty: !field?.value })) return;
    const can = action.when?.() ?? true;
    // Ours also when it cannot be done now, lest Ctrl+Shift+R load the page anew; but an undo stays an undo. And the
    // browser has its own use of Escape: it closes popovers.
    if (keys !== "Escape" && (can || !edits(keys))) event.preventDefault();
    if (can) void action.do();
  });
}
