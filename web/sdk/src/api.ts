import { Chat } from "./chat";
import { type Config, settingsFrom } from "./config";
import { type ChatEvents, Emitter, type Listener } from "./emitter";
import type { Card, Proof, User } from "./protocol";

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
  /** Who is here; with `identifier_hash` the shop's server vouches for the identifier. */
  readonly setUser = (user: User) => this.call((chat) => chat.identify(proofOf(user)));
  /** A product or an order the visitor is looking at; null takes it away. */
  readonly setContext = (card: Card | null) => this.call((chat) => chat.setContext(card));
  readonly setLocale = (locale: string) => this.call((chat) => chat.setLocale(locale));
  readonly logout = () => this.call((chat) => chat.logout());

  /** Who is here, as the shop's server has signed it (JWT). What is refused comes as an `error`. */
  readonly identify = (token: string) => this.call((chat) => chat.identify({ token }));

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

function proofOf({ identifier, id, name, nickname, ...rest }: User): Proof {
  const { identifier_hash, email, phone } = rest;
  const given = { identifier: String(identifier ?? id), identifier_hash, name: name ?? nickname, email, phone };
  return JSON.parse(JSON.stringify(given)) as Proof;
}
