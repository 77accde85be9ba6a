import type { Settings } from "./config";
import styles from "./launcher.css?inline";
import { LOOK } from "./look";
import type { Locale } from "./types";

export type Layout = "panel" | "maximised" | "full";

const WORDS = {
  zh: { open: "打开客服聊天", close: "关闭客服聊天", unread: (count: number) => `，${count} 条未读`, frame: "客服聊天" },
  en: {
    open: "Open customer chat",
    close: "Close customer chat",
    unread: (count: number) => `, ${count} unread`,
    frame: "Customer chat",
  },
};
const BUBBLE = "M9.1 18.3 4.8 20.5l.9-3.7a8.5 7.6 0 1 1 3.4 1.5Z M8.5 11.2h.01m3.5 0h.01m3.5 0h.01";
const CROSS = "m6.5 6.5 11 11 m0-11-11 11";

/** The button and the panel on the shop's page, in a shadow root: neither page can restyle the other. */
export class Launcher {
  readonly host = document.createElement("div");
  readonly button = document.createElement("button");
  readonly panel = document.createElement("div");
  readonly #badge = document.createElement("span");
  readonly #icon = document.createElementNS("http://www.w3.org/2000/svg", "path");
  #unread = 0;
  /** Before the title of the page. */
  #mark = "";
  #open = false;
  isWanted = true;
  /** Until the chat has come with its own way out, the button is that. */
  hasChat = false;
  #layout: Layout = "panel";

  constructor(
    settings: Settings,
    private locale: Locale,
  ) {
    this.isWanted = settings.launcher;
    this.host.id = "fiido-kefu";
    const root = this.host.attachShadow({ mode: "open" });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(`${styles}${LOOK.css ?? ""}:host{z-index:${settings.zIndex}!important}`);
    // Unlike a <style>, an adopted sheet needs no 'unsafe-inline' in the page's content security policy.
    root.adoptedStyleSheets = [sheet];
    const box = document.createElement("div");
    box.className = `box ${settings.side} ${settings.theme}`;
    box.append(this.#panelParts(), this.#buttonParts());
    root.append(box);
    this.#draw();
  }

  #buttonParts(): HTMLElement {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", "0 0 24 24");
    svg.append(this.#icon);
    this.#badge.className = "badge";
    this.button.type = "button";
    this.button.className = "launcher";
    this.button.setAttribute("aria-controls", "panel");
    this.button.append(svg, this.#badge);
    return this.button;
  }

  #panelParts(): HTMLElement {
    this.panel.id = "panel";
    this.panel.className = "panel";
    return this.panel;
  }

  show(wanted: boolean): void {
    this.isWanted = wanted;
    this.#draw();
  }

  setOpen(open: boolean, layout: Layout): void {
    this.#open = open;
    this.#layout = layout;
    this.#draw();
  }

  setUnread(count: number): void {
    this.#unread = count;
    this.#draw();
  }

  setLocale(locale: Locale): void {
    this.locale = locale;
    this.#draw();
  }

  frameTitle(): string {
    return WORDS[this.locale].frame;
  }

  #draw(): void {
    const words = WORDS[this.locale];
    const count = this.#open ? 0 : this.#unread;
    this.host.lang = this.locale;
    this.button.hidden = this.#open && this.#layout !== "panel" ? this.hasChat : !this.isWanted;
    this.button.setAttribute("aria-expanded", String(this.#open));
    this.button.setAttribute("aria-label", (this.#open ? words.close : words.open) + (count ? words.unread(count) : ""));
    this.#icon.setAttribute("d", this.#open ? CROSS : (LOOK.icon ?? BUBBLE));
    const mark = count ? `(${count}) ` : "";
    if (mark !== this.#mark) document.title = mark + document.title.replace(this.#mark, "");
    this.#mark = mark;
    this.#badge.hidden = count === 0;
    this.#badge.textContent = count > 99 ? "99+" : String(count);
    this.panel.classList.toggle("open", this.#open);
    this.panel.dataset.layout = this.#layout;
    this.panel.querySelector("iframe")?.setAttribute("title", words.frame);
  }
}
