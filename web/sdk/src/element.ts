import type { Kefu } from "./api";
import { configFrom } from "./config";

/** `<fiido-chat api-url position theme shop locale auto-open>`: the chat lives as long as the element that began it. */
export function defineElement(kefu: Kefu): void {
  if (customElements.get("fiido-chat")) return;
  customElements.define(
    "fiido-chat",
    class extends HTMLElement {
      private hasBegun = false;

      connectedCallback(): void {
        this.hasBegun = kefu.begin(configFrom((name) => this.getAttribute(name)));
      }

      disconnectedCallback(): void {
        if (this.hasBegun) kefu.destroy();
      }
    },
  );
}
