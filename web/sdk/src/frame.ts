import type { Settings } from "./config";
import { type Envelope, isEnvelope, type ToFrame, type ToHost } from "./protocol";

/** The iframe and the only door to it: exact origin out, exact origin and source in. */
export class Frame {
  readonly #iframe = document.createElement("iframe");
  readonly #origin: string;
  #waiting: ToFrame[] | null = [];

  constructor(
    settings: Settings,
    title: string,
    private readonly onMessage: (message: ToHost) => void,
  ) {
    const url = new URL(`${settings.base}/embed`, location.href);
    const { shop, locale, theme } = settings;
    const query = { ...(shop && { shop }), locale, theme, parent: location.origin };
    url.search = new URLSearchParams(query).toString();
    this.#origin = url.origin;
    this.#iframe.title = title;
    this.#iframe.allow = "clipboard-write";
    this.#iframe.src = url.href;
    addEventListener("message", this.#receive);
    addEventListener("online", this.#again);
  }

  mount(parent: HTMLElement): void {
    parent.append(this.#iframe);
  }

  /** Kept until the frame says it is ready. */
  post(message: ToFrame): void {
    if (this.#waiting) this.#waiting.push(message);
    else this.#iframe.contentWindow?.postMessage({ kefu: 1, ...message } satisfies Envelope<ToFrame>, this.#origin);
  }

  focus(): void {
    this.#iframe.focus();
  }

  destroy(): void {
    removeEventListener("message", this.#receive);
    removeEventListener("online", this.#again);
    this.#iframe.remove();
  }

  /** What was to come while there was no network is an error page of the browser. */
  readonly #again = (): void => {
    if (this.#waiting) this.#iframe.src += "";
  };

  readonly #receive = (event: MessageEvent): void => {
    if (event.origin !== this.#origin || event.source !== this.#iframe.contentWindow || !isEnvelope(event.data)) return;
    const message = event.data as Envelope<ToHost>;
    if (message.type === "ready") {
      const held = this.#waiting ?? [];
      this.#waiting = null;
      held.forEach((kept) => this.post(kept));
    }
    this.onMessage(message);
  };
}
