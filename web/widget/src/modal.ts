import { onBeforeUnmount, onMounted, onUnmounted, type ShallowRef } from "vue";

/** A `<dialog>` that is open for as long as its component is there. Closing it gives the focus back to where it was. */
export function useModal(dialog: Readonly<ShallowRef<HTMLDialogElement | null>>): void {
  onMounted(() => dialog.value?.showModal());
  onBeforeUnmount(() => dialog.value?.close());
}

/** Escape leaves the chat, wherever in it the focus is, unless it leaves a dialog or gives up a word of an input method. */
export function useEscape(leave: () => void): void {
  const onKey = ({ key, isComposing }: KeyboardEvent) => {
    if (key === "Escape" && !isComposing && !document.querySelector("dialog[open]")) leave();
  };
  window.addEventListener("keydown", onKey);
  onUnmounted(() => window.removeEventListener("keydown", onKey));
}
