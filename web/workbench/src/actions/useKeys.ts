import { useEventListener } from "@vueuse/core";
import type { Action } from "./action";
import { edits, holdsIn, keysOf } from "./keys";

/** Whatever lies above the desk has the keys to itself. */
const ABOVE = "dialog, [role=dialog], [popover]";
const FIELDS = "input, textarea, select, [contenteditable]";

/**
 * Does the action whose keys are pressed, if it can be done now. `isCovered`: something is shown above the desk, or will
 * be in a moment; what is typed meanwhile is meant for it and neither does nor writes anything.
 */
export function useKeys(actions: readonly Action[], isCovered: () => boolean): void {
  const byKeys = new Map(actions.flatMap((action) => (action.keys ?? []).map((keys) => [keys, action] as const)));
  useEventListener(window, "keydown", (event: KeyboardEvent) => {
    if (event.defaultPrevented || event.isComposing || !(event.target instanceof Element)) return;
    if (event.target.closest(ABOVE)) return;
    const keys = keysOf(event);
    if (isCovered()) return void (keys.length === 1 && event.preventDefault());
    const action = byKeys.get(keys);
    if (!action) return;
    const field = event.target.closest<HTMLInputElement>(FIELDS);
    if (!holdsIn(keys, { isTyping: field !== null, isEmpty: !field?.value })) return;
    const can = action.when?.() ?? true;
    // Ours also when it cannot be done now, lest Ctrl+Shift+R load the page anew; but an undo stays an undo. And the
    // browser has its own use of Escape: it closes popovers.
    if (keys !== "Escape" && (can || !edits(keys))) event.preventDefault();
    if (can) void action.do();
  });
}
