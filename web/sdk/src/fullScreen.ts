import { fitKeyboard } from "./keyboard";

/**
 * What a chat that fills the screen asks of the page: to stand still, out of reach behind it, and a Back that closes it. For that
 * an entry lies on top of the page's history: the page's own address and state, with a mark, so that a
 * router that hears of it finds what it knows and goes nowhere.
 */
export class FullScreen {
  readonly #still = new CSSStyleSheet();
  #isOn = false;
  #address = "";
  #leaving: ReturnType<typeof setTimeout> | undefined;
  #stopFitting = () => {};

  constructor(
    private readonly panel: HTMLElement,
    private readonly close: () => void,
  ) {
    this.#still.replaceSync("html{overflow:hidden!important}");
  }

  set(on: boolean): void {
    if (on === this.#isOn) return;
    this.#isOn = document.body.inert = on;
    const others = document.adoptedStyleSheets.filter((sheet) => sheet !== this.#still);
    document.adoptedStyleSheets = on ? [...others, this.#still] : others;
    this.#stopFitting();
    if (on) this.#enter();
    // Later: a page that closes the chat and goes elsewhere in one breath is there by then, and that entry is not ours to leave.
    else this.#leaving = setTimeout(() => (isOurs() ? history.back() : this.#unhear()));
  }

  #enter(): void {
    clearTimeout(this.#leaving);
    this.#stopFitting = fitKeyboard(this.panel);
    this.#address = location.href;
    if (!isOurs()) history.pushState({ ...(history.state as object), kefu: 1 }, "");
    addEventListener("popstate", this.#onBack, true);
  }

  #unhear(): void {
    removeEventListener("popstate", this.#onBack, true);
  }

  /** Where the browser lets us be first, the page's router does not hear of it; elsewhere it hears of where it is. */
  readonly #onBack = (event: Event): void => {
    if (isOurs() || location.href !== this.#address) return;
    event.stopImmediatePropagation();
    this.#unhear();
    if (this.#isOn) this.close();
  };
}

function isOurs(): boolean {
  return Boolean((history.state as { kefu?: 1 } | null)?.kefu);
}
