import { here } from "./place";
import type { CameFrom } from "./protocol";

type Stage = "impression" | "open";

const MOST = 20;

/** Whether the visitor lets pages be counted: what the browser says for all sites goes before what they said on this one. */
export function mayCount(consent: boolean): boolean {
  const { doNotTrack, globalPrivacyControl } = navigator as Navigator & { globalPrivacyControl?: boolean };
  return consent && doNotTrack !== "1" && !globalPrivacyControl;
}

/**
 * How often the chat was seen and opened on which page: no visitor, no query, nothing kept in the browser. It is sent in one
 * go when the page is left, and counts at most once: what is lost is not sent again.
 */
export class Funnel {
  readonly #url: string;
  #waiting: (CameFrom & { stage: Stage })[] = [];
  #seenOn = "";

  constructor(base: string, shop: string) {
    this.#url = `${base}/api/funnel${shop && `?shop=${encodeURIComponent(shop)}`}`;
    document.addEventListener("visibilitychange", this.#leave);
  }

  /** Once for each page. */
  seen(): void {
    const { page } = here();
    if (page !== this.#seenOn) this.count("impression");
    this.#seenOn = page;
  }

  count(stage: Stage): void {
    this.#waiting.push({ stage, ...here() });
    if (this.#waiting.length >= MOST) this.#send();
  }

  forget(): void {
    this.#waiting = [];
  }

  close(): void {
    this.#send();
    document.removeEventListener("visibilitychange", this.#leave);
  }

  readonly #leave = (): void => {
    if (document.visibilityState === "hidden") this.#send();
  };

  #send(): void {
    // As text, so that the browser need not ask first whether it may.
    if (this.#waiting.length) navigator.sendBeacon(this.#url, JSON.stringify({ events: this.#waiting.splice(0) }));
  }
}
