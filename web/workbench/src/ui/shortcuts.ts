import { useEventListener } from "@vueuse/core";

type Shortcuts = Readonly<Record<string, (event: KeyboardEvent) => void>>;

/** Single keys, while nobody types and no dialog is open. The name is what `event.key` says. */
export function useShortcuts(shortcuts: Shortcuts): void {
  useEventListener(window, "keydown", (event: KeyboardEvent) => {
    const target = event.target as HTMLElement;
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (target.isContentEditable || target.closest("input, textarea, select, [role=dialog], [popover]")) return;
    const act = shortcuts[event.key];
    if (!act) return;
    // The browser has its own use of Escape: it closes popovers.
    if (event.key !== "Escape") event.preventDefault();
    act(event);
  });
}
