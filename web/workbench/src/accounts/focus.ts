/** For what comes into a page that is there already, where `autofocus` does nothing: `v-focus`. */
export const vFocus = { mounted: (place: HTMLElement) => place.querySelector("input")?.focus() };
