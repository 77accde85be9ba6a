import styles from "./invite.css?inline";
import { recall, remember } from "./memory";
import type { ToFrame } from "./protocol";
import type { Context, Locale } from "./types";

/** As the server gives it: shown once to each visitor, when all of it holds. `url`: what the address contains, `*` for anything. */
export interface Invitation {
  id: string;
  text: Record<Locale, string>;
  seconds: number;
  url: string;
  cart: number | null;
}

/** The loader's chat, as far as an invitation needs it. */
export interface Inviting {
  readonly settings: { shop: string; locale: Locale };
  readonly context: Context | null;
  open(): void;
  post(message: ToFrame): void;
}

const WORDS = {
  zh: { open: "打开客服聊天：", away: "关闭邀请" },
  en: { open: "Open customer chat: ", away: "Dismiss this message" },
};

/**
 * Looks once a second, while the page is in sight, whether one of them is due. At most one is shown on a page, and none to
 * somebody who has opened the chat, or in a browser that could not remember it.
 */
export function begin(chat: Inviting, invitations: readonly Invitation[] = []): void {
  const host = document.getElementById("fiido-kefu");
  const launcher = host?.shadowRoot?.querySelector("button.launcher");
  if (!host || !(launcher instanceof HTMLElement) || !invitations.length) return;
  let page = location.href;
  let seconds = 0;
  const timer = setInterval(() => {
    if (!host.isConnected || launcher.getAttribute("aria-expanded") === "true") return clearInterval(timer);
    if (page !== location.href) [page, seconds] = [location.href, 0];
    if (document.hidden || launcher.hidden) return;
    seconds++;
    const shown = shownTo(chat);
    const due = invitations.find((one) => !shown.includes(one.id) && fits(one, { page, seconds, cart: chat.context?.cart ?? 0 }));
    if (!due) return;
    clearInterval(timer);
    if (isRemembered(chat, [...shown, due.id])) show(chat, launcher, due);
  }, 1_000);
}

export function fits({ url, seconds, cart }: Invitation, now: { page: string; seconds: number; cart: number }): boolean {
  return now.seconds >= seconds && now.cart >= (cart ?? 0) && patternOf(url).test(now.page);
}

function patternOf(url: string): RegExp {
  const parts = url.split("*").map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`));
  return new RegExp(parts.join(".*"), "i");
}

function textOf({ text }: Invitation, locale: Locale): string {
  return text[locale] || text.en || text.zh;
}

const keyOf = ({ settings }: Inviting) => `kefu.invited.${settings.shop}`;

function shownTo(chat: Inviting): string[] {
  return (recall(keyOf(chat)) ?? "").split(" ").filter(Boolean);
}

function isRemembered(chat: Inviting, shown: string[]): boolean {
  remember(keyOf(chat), shown.join(" "));
  return recall(keyOf(chat)) === shown.join(" ");
}

/** Beside the launcher; who opens the chat, by this or by that, finds the words in it. */
function show(chat: Inviting, launcher: HTMLElement, invitation: Invitation): void {
  const text = textOf(invitation, chat.settings.locale);
  const words = WORDS[chat.settings.locale];
  const box = document.createElement("div");
  const [open, away] = [document.createElement("button"), document.createElement("button")];
  const gone = new AbortController();
  const accept = () => {
    gone.abort();
    box.remove();
    chat.open();
    chat.post({ type: "invitation", id: invitation.id, text });
  };
  box.className = "invitation";
  box.setAttribute("role", "status");
  open.className = "words";
  open.textContent = text;
  open.setAttribute("aria-label", words.open + text);
  away.className = "away";
  away.textContent = "×";
  away.setAttribute("aria-label", words.away);
  open.type = away.type = "button";
  open.addEventListener("click", accept);
  launcher.addEventListener("click", accept, { signal: gone.signal });
  away.addEventListener("click", () => (gone.abort(), box.remove(), launcher.focus()));
  box.append(open, away);
  const root = launcher.getRootNode() as ShadowRoot;
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(styles);
  root.adoptedStyleSheets.push(sheet);
  launcher.before(box);
}
