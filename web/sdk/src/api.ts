import { Chat } from "./chat";
import { type Config, settingsFrom } from "./config";
import { type ChatEvents, Emitter, type Listener } from "./emitter";
import type { Card, User } from "./protocol";

/** What `window.FiidoKefu` is. Calls before `init` are kept and made then. */
export class Kefu {
  private readonly emitter = new Emitter();
  private chat: Chat | undefined;
  private waiting: ((chat: Chat) => void)[] = [];

  constructor(private readonly scriptOrigin: string) {}

  /** A second call replaces the first chat: there is one per page. */
  readonly init = (config: Config = {}): this => {
    const start = () => {
      this.chat?.destroy();
      this.chat = new Chat(settingsFrom(config, this.scriptOrigin), this.emitter);
      for (const call of this.waiting.splice(0)) call(this.chat);
    };
    if (document.body) start();
    else document.addEventListener("DOMContentLoaded", start, { once: true });
    return this;
  };

  readonly open = () => this.call((chat) => chat.open());
  readonly close = () => this.call((chat) => chat.close());
  readonly toggle = () => this.call((chat) => chat.toggle());
  readonly show = () => this.call((chat) => chat.show());
  readonly hide = () => this.call((chat) => chat.hide());
  readonly sendMessage = (text: string) => this.call((chat) => chat.sendMessage(text));
  readonly setUser = (user: User) => this.call((chat) => chat.setUser(user));
  /** A product or an order the visitor is looking at; null takes it away. */
  readonly setContext = (card: Card | null) => this.call((chat) => chat.setContext(card));
  readonly setLocale = (locale: string) => this.call((chat) => chat.setLocale(locale));
  readonly logout = () => this.call((chat) => chat.logout());

  /** The shop's signed identity (JWT): conversations are kept apart by its `sub`. */
  readonly identify = (token: string) => this.setUser({ id: subjectOf(token) });

  readonly on = <Name extends keyof ChatEvents>(name: Name, listener: Listener<Name>) => this.emitter.on(name, listener);
  readonly off = <Name extends keyof ChatEvents>(name: Name, listener?: Listener<Name>) => this.emitter.off(name, listener);

  readonly destroy = (): void => {
    this.chat?.destroy();
    this.chat = undefined;
    this.waiting = [];
  };

  private call(act: (chat: Chat) => void): void {
    if (this.chat) act(this.chat);
    else this.waiting.push(act);
  }
}

function subjectOf(token: string): string {
  const payload = token.split(".")[1] ?? "";
  const { sub } = JSON.parse(atob(payload.replaceAll("-", "+").replaceAll("_", "/"))) as { sub?: string };
  if (!sub) throw new TypeError("identify: the token has no sub");
  return sub;
}
