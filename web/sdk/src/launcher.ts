import type { Settings } from "./config";
import styles from "./launcher.css?inline";
import type { Drawn } from "./look";
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
const BUBBLE = "M12 3.5c4.9 0 8.5 3.2 8.5 7.6s-3.6 7.6-8.5 7.6c-1 0-2-.1-2.9-.4l-4.3 2.2.9-3.7c-1.4-1.5-2.2-3.5-2.2-5.7 0-4.4 3.6-7.6 8.5-7.6zm-3.5 7.7h0m3.5 0h0m3.5 0h0";
const CROSS = "m6.5 6.5 11 11 m0-11-11 11";

/** The button and the panel on the shop's page, in a shadow root: neither page can restyle the other. */
export class Launcher {
  readonly host = document.createElement("div");
  readonly button = document.createElement("button");
  readonly panel = document.createElement("div");
  readonly #badge = document.createElement("span");
  readonly #icon = document.createElementNS("http://www.w3.org/2000/svg", "path");
  readonly #box = document.createElement("div");
  #drawing = BUBBLE;
  #unread = 0;
  /** Before the title of the page. */
  #mark = "";
  #open = false;
  isWanted = true;
  #layout: Layout = "panel";

  constructor(
    settings: Settings,
    private locale: Locale,
  ) {
    this.isWanted = settings.launcher;
    this.host.id = "fiido-kefu";
    const root = this.host.attachShadow({ mode: "open" });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(`${styles}:host{z-index:${settings.zIndex}!important}`);
    // Unlike a <style>, an adopted sheet needs no 'unsafe-inline' in the page's content security policy.
    root.adoptedStyleSheets = [sheet];
    this.#box.className = `box ${settings.side} ${settings.theme}`;
    this.#box.append(this.#panelParts(), this.#buttonParts());
    root.append(this.#box);
    this.paint(settings.look);
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

  /** Without colours: in the product's own. */
  paint({ color, on, hover, icon }: Partial<Drawn>): void {
    // By the object model, which a policy without 'unsafe-inline' leaves alone.
    if (color) this.#box.style.cssText = `--c:${color};--o:${on};--h:${hover}`;
    this.#drawing = icon ?? BUBBLE;
    this.#draw();
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
    this.button.hidden = !this.isWanted || (this.#open && this.#layout !== "panel");
    this.button.setAttribute("aria-expanded", String(this.#open));
    this.button.setAttribute("aria-label", (this.#open ? words.close : words.open) + (count ? words.unread(count) : ""));
    this.#icon.setAttribute("d", this.#open ? CROSS : this.#drawing);
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
