import { localeFrom, type Settings } from "./config";
import type { Emitter } from "./emitter";
import { Frame } from "./frame";
import { Funnel, mayCount } from "./funnel";
import { FullScreen } from "./fullScreen";
import { whenIdle } from "./idle";
import { Launcher, type Layout } from "./launcher";
import { recall, remember } from "./memory";
import { here, Place } from "./place";
import type { Context, Proof, ToFrame, ToHost } from "./protocol";

/** Upright, lying, or a page made twice as large: there is room for the chat alone. */
const PHONE = "(max-width: 767.98px), (max-height: 479.98px)";

type Passed = Exclude<ToHost, { type: "ready" | "close" | "maximise" }>;

/**
 * One chat on one page: the launcher now, the frame when it is wanted. What is private here is so by `#`, whose names the
 * build shortens.
 */
export class Chat {
  readonly #launcher: Launcher;
  readonly #fullScreen: FullScreen;
  readonly #phone = matchMedia(PHONE);
  readonly #talkedKey: string;
  readonly #place = new Place(() => this.#moved());
  #stopWaiting: (() => void) | undefined;
  #funnel: Funnel | undefined;
  #frame: Frame | undefined;
  #isOpen = false;
  #maximised = false;
  /** Where the focus was before. */
  #opener: Element | null = null;
  /** Repeated to a frame that is created later. */
  #user: Proof | undefined;
  context: Context | null = null;

  constructor(
    readonly settings: Settings,
    private readonly emitter: Emitter,
  ) {
    this.#talkedKey = `kefu.talked.${settings.shop}`;
    this.#launcher = new Launcher(settings, settings.locale);
    const { button, host, panel } = this.#launcher;
    this.#fullScreen = new FullScreen(panel, () => this.close());
    button.addEventListener("click", () => this.toggle());
    for (const intent of ["pointerenter", "touchstart", "focus"]) {
      button.addEventListener(intent, () => this.#load(), { once: true, passive: true });
    }
    host.shadowRoot?.addEventListener("keydown", this.#onKey);
    this.#phone.addEventListener("change", this.#draw);
    this.#keepOnPage();
    this.setConsent(settings.consent);
    if (settings.autoOpen) this.open();
    else if (this.#talkedBefore()) this.#stopWaiting = whenIdle(() => this.#load(), 10_000);
    else if (settings.invite) this.#stopWaiting = whenIdle(() => this.#invite(), 10_000);
  }

  open(): void {
    this.#place.look();
    if (this.#isOpen) return this.#frame?.focus();
    this.#load();
    this.#opener = document.activeElement;
    this.#isOpen = true;
    this.#draw();
    this.post({ type: "opened" });
    this.#frame?.focus();
    this.#funnel?.count("open");
    this.emitter.emit("open", {});
  }

  close(): void {
    if (!this.#isOpen) return;
    const hadFocus = document.activeElement === this.#launcher.host;
    this.#isOpen = false;
    this.#draw();
    this.post({ type: "closed" });
    if (hadFocus) this.#giveFocusBack();
    this.emitter.emit("close", {});
  }

  toggle(): void {
    if (this.#isOpen) this.close();
    else this.open();
  }

  show(): void {
    this.#launcher.show(true);
    this.#funnel?.seen();
  }

  hide(): void {
    this.close();
    this.#launcher.show(false);
  }

  sendMessage(text: string): void {
    this.open();
    this.post({ type: "send", text });
  }

  identify(proof: Proof): void {
    this.#user = proof;
    this.post({ type: "user", proof });
  }

  setContext(card: Context | null): void {
    this.context = card;
    this.post({ type: "context", card });
  }

  setLocale(tag: string): void {
    this.settings.locale = localeFrom(tag);
    this.#launcher.setLocale(this.settings.locale);
    this.post({ type: "locale", locale: this.settings.locale });
  }

  setConsent(given: boolean): void {
    this.settings.consent = given;
    if (mayCount(given)) this.#funnel ??= new Funnel(this.settings.base, this.settings.shop);
    else this.#stopCounting();
    if (this.#launcher.isWanted) this.#funnel?.seen();
    this.#tellPage();
  }

  /** Forgets who is here and their conversation on this browser. */
  logout(): void {
    this.#user = undefined;
    this.close();
    if (this.#talkedBefore()) this.#load();
    this.post({ type: "logout" });
    remember(this.#talkedKey, null);
  }

  destroy(): void {
    this.close();
    this.#stopWaiting?.();
    this.#place.close();
    this.#funnel?.close();
    this.#phone.removeEventListener("change", this.#draw);
    this.#frame?.destroy();
    this.#launcher.setUnread(0);
    this.#launcher.host.remove();
  }

  #load(): void {
    if (this.#frame) return;
    this.#frame = new Frame(this.settings, this.#launcher.frameTitle(), (message) => this.#receive(message));
    this.#frame.mount(this.#launcher.panel);
    this.post({ type: "layout", layout: this.#layout() });
    this.#tellPage();
    if (this.#user) this.post({ type: "user", proof: this.#user });
    if (this.context) this.post({ type: "context", card: this.context });
  }

  /** Another script, for those who have not talked yet. */
  #invite(): void {
    const { base, shop } = this.settings;
    const url = `${base}/sdk/invite.js${shop && `?shop=${encodeURIComponent(shop)}`}`;
    void import(/* @vite-ignore */ url).then(({ begin, invitations }) => begin(this, invitations)).catch(() => {});
  }

  #moved(): void {
    this.#keepOnPage();
    if (this.#launcher.isWanted) this.#funnel?.seen();
    this.#tellPage();
  }

  /** Beside the body: a shop that draws its pages itself may replace that, and what it does to the body's look is not ours. */
  #keepOnPage(): void {
    if (!this.#launcher.host.isConnected) document.documentElement.append(this.#launcher.host);
  }

  #tellPage(): void {
    this.post({ type: "page", cameFrom: this.#funnel ? here() : null });
  }

  #stopCounting(): void {
    this.#funnel?.forget();
    this.#funnel?.close();
    this.#funnel = undefined;
  }

  post(message: ToFrame): void {
    this.#frame?.post(message);
  }

  #receive(message: ToHost): void {
    switch (message.type) {
      case "ready":
        this.#launcher.hasChat = true;
        return this.#draw();
      case "close":
        return this.close();
      case "maximise":
        this.#maximised = message.on;
        return this.#draw();
      case "unread":
        this.#launcher.setUnread(message.count);
        return this.#pass(message);
      case "conversation":
        remember(this.#talkedKey, "1");
        return this.#pass(message);
      case "message":
      case "status":
      case "handoff":
      case "rating":
      case "error":
        return this.#pass(message);
    }
  }

  /** As it is, for the page. */
  #pass({ type, kefu: _mark, ...detail }: Passed & { kefu?: 1 }): void {
    this.emitter.emit(type, detail as never);
  }

  #layout(): Layout {
    if (this.#phone.matches) return "full";
    return this.#maximised ? "maximised" : "panel";
  }

  readonly #draw = (): void => {
    const layout = this.#layout();
    this.#launcher.setOpen(this.#isOpen, layout);
    this.post({ type: "layout", layout });
    this.#fullScreen.set(this.#isOpen && layout === "full");
  };

  /** To the page's own button, if one has opened the chat and is still there. */
  #giveFocusBack(): void {
    this.#launcher.button.focus();
    if (this.#opener !== document.body) (this.#opener as HTMLElement | null)?.focus();
  }

  readonly #onKey = (event: Event): void => {
    if ((event as KeyboardEvent).key === "Escape") this.close();
  };

  #talkedBefore(): boolean {
    return recall(this.#talkedKey) !== null;
  }
}
