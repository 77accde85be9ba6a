import { localeFrom, type Settings } from "./config";
import type { Emitter } from "./emitter";
import { Frame } from "./frame";
import { Launcher, type Layout } from "./launcher";
import { recall, remember } from "./memory";
import type { Card, Proof, ToFrame, ToHost } from "./protocol";

const PHONE = "(max-width: 767.98px)";

/** One chat on one page: the launcher now, the frame when it is wanted. */
export class Chat {
  private readonly launcher: Launcher;
  private readonly phone = matchMedia(PHONE);
  private readonly talkedKey: string;
  private frame: Frame | undefined;
  private isOpen = false;
  private maximised = false;
  private pageOverflow = "";
  /** Repeated to a frame that is created later. */
  private user: Proof | undefined;
  private card: Card | null = null;

  constructor(
    private readonly settings: Settings,
    private readonly emitter: Emitter,
  ) {
    this.talkedKey = `kefu.talked.${settings.shop}`;
    this.launcher = new Launcher(settings, settings.locale);
    const { button, host } = this.launcher;
    button.addEventListener("click", () => this.toggle());
    for (const intent of ["pointerenter", "touchstart", "focus"]) {
      button.addEventListener(intent, () => this.load(), { once: true, passive: true });
    }
    host.shadowRoot?.addEventListener("keydown", this.onKey);
    this.phone.addEventListener("change", this.draw);
    document.body.append(host);
    if (settings.autoOpen) this.open();
    else if (this.talkedBefore()) whenIdle(() => this.load());
  }

  open(): void {
    if (this.isOpen) return this.frame?.focus();
    this.load();
    this.isOpen = true;
    this.draw();
    this.post({ type: "opened" });
    this.frame?.focus();
    this.emitter.emit("open", {});
  }

  close(): void {
    if (!this.isOpen) return;
    const hadFocus = document.activeElement === this.launcher.host;
    this.isOpen = false;
    this.draw();
    this.post({ type: "closed" });
    if (hadFocus) this.launcher.button.focus();
    this.emitter.emit("close", {});
  }

  toggle(): void {
    if (this.isOpen) this.close();
    else this.open();
  }

  show(): void {
    this.launcher.show(true);
  }

  hide(): void {
    this.close();
    this.launcher.show(false);
  }

  sendMessage(text: string): void {
    this.open();
    this.post({ type: "send", text });
  }

  identify(proof: Proof): void {
    this.user = proof;
    this.post({ type: "user", proof });
  }

  setContext(card: Card | null): void {
    this.card = card;
    this.post({ type: "context", card });
  }

  setLocale(tag: string): void {
    this.settings.locale = localeFrom(tag);
    this.launcher.setLocale(this.settings.locale);
    this.post({ type: "locale", locale: this.settings.locale });
  }

  /** Forgets who is here and their conversation on this browser. */
  logout(): void {
    this.user = undefined;
    this.close();
    if (this.talkedBefore()) this.load();
    this.post({ type: "logout" });
    remember(this.talkedKey, null);
  }

  destroy(): void {
    this.close();
    this.phone.removeEventListener("change", this.draw);
    window.visualViewport?.removeEventListener("resize", this.fitKeyboard);
    this.frame?.destroy();
    this.launcher.host.remove();
  }

  private load(): void {
    if (this.frame) return;
    this.frame = new Frame(this.settings, this.launcher.frameTitle(), (message) => this.receive(message));
    this.frame.mount(this.launcher.panel);
    this.post({ type: "layout", layout: this.layout() });
    if (this.user) this.post({ type: "user", proof: this.user });
    if (this.card) this.post({ type: "context", card: this.card });
  }

  private post(message: ToFrame): void {
    this.frame?.post(message);
  }

  private receive(message: ToHost): void {
    switch (message.type) {
      case "ready":
        return this.emitter.emit("ready", {});
      case "close":
        return this.close();
      case "maximise":
        this.maximised = message.on;
        return this.draw();
      case "unread":
        this.launcher.setUnread(message.count);
        return this.emitter.emit("unread", { count: message.count });
      case "conversation":
        remember(this.talkedKey, "1");
        return this.emitter.emit("conversation", { session: message.session });
      case "message":
        return this.emitter.emit("message", { role: message.role, content: message.content, seq: message.seq });
      case "status":
        return this.emitter.emit("status", { status: message.status });
      case "error":
        return this.emitter.emit("error", { code: message.code });
    }
  }

  private layout(): Layout {
    if (this.phone.matches) return "full";
    return this.maximised ? "maximised" : "panel";
  }

  private readonly draw = (): void => {
    const layout = this.layout();
    this.launcher.setOpen(this.isOpen, layout);
    this.post({ type: "layout", layout });
    this.lockPage(this.isOpen && layout === "full");
  };

  /** Under a full-screen chat the shop's page must not scroll. */
  private lockPage(lock: boolean): void {
    const page = document.documentElement;
    const locked = page.hasAttribute("data-kefu-locked");
    if (lock === locked) return;
    page.toggleAttribute("data-kefu-locked", lock);
    if (lock) this.pageOverflow = page.style.overflow;
    page.style.overflow = lock ? "hidden" : this.pageOverflow;
    if (lock) window.visualViewport?.addEventListener("resize", this.fitKeyboard);
    else window.visualViewport?.removeEventListener("resize", this.fitKeyboard);
    this.launcher.panel.style.height = "";
  }

  /** iOS lays its keyboard over the page; the frame cannot see that, the page can. */
  private readonly fitKeyboard = (): void => {
    if (window.visualViewport) this.launcher.panel.style.height = `${window.visualViewport.height}px`;
  };

  private readonly onKey = (event: Event): void => {
    if ((event as KeyboardEvent).key === "Escape") this.close();
  };

  private talkedBefore(): boolean {
    return recall(this.talkedKey) !== null;
  }
}

function whenIdle(work: () => void): void {
  // Safari has no requestIdleCallback.
  if ("requestIdleCallback" in globalThis) requestIdleCallback(work, { timeout: 10_000 });
  else setTimeout(work, 3_000);
}
