import { Chat } from "./chat";
import { settingsFrom } from "./config";
import { Emitter } from "./emitter";
import { whenIdle } from "./idle";
import type { Proof } from "./protocol";
import type { Call, ChatEvent, Config, FiidoKefu, Listener, User } from "./types";

const AT_ONCE_MS = 2_000;

/** The one chat of a page: planned, running or not there. Calls before it runs are kept and made then. */
export class Kefu {
  readonly surface = surfaceOf(this);
  readonly #emitter = new Emitter();
  #chat: Chat | undefined;
  /** What the running one was begun with. */
  #begunWith = "";
  #planned: Config | undefined;
  #waiting: ((chat: Chat) => void)[] = [];
  #callOff = () => {};

  constructor(private readonly scriptOrigin: string) {}

  /** Begins when the page has nothing better to do, or at the first call. */
  plan(config: Config): void {
    if (this.#begunWith) return;
    this.#planned = config;
    this.#callOff = whenIdle(() => this.begin(config), AT_ONCE_MS);
  }

  /** False when another one runs, which goes on. */
  begin(config: Config): boolean {
    const settings = settingsFrom(config, this.scriptOrigin);
    const wanted = JSON.stringify(settings);
    if (this.#begunWith) return this.#again(wanted);
    this.#callOff();
    this.#planned = undefined;
    this.#begunWith = wanted;
    const start = () => {
      this.#chat = new Chat(settings, this.#emitter);
      for (const call of this.#waiting.splice(0)) call(this.#chat);
      this.#emitter.emit("ready", {});
    };
    if (document.body) start();
    else this.#callOff = whenParsed(start);
    return true;
  }

  call(act: (chat: Chat) => void): void {
    if (!this.#chat && this.#planned) this.begin(this.#planned);
    if (this.#chat) act(this.#chat);
    else this.#waiting.push(act);
  }

  on<Name extends ChatEvent>(name: Name, listener: Listener<Name>): () => void {
    if (name === "ready" && this.#chat) queueMicrotask(() => this.#emitter.tell(listener as Listener<"ready">, {}));
    return this.#emitter.on(name, listener);
  }

  off<Name extends ChatEvent>(name: Name, listener?: Listener<Name>): void {
    this.#emitter.off(name, listener);
  }

  destroy(): void {
    this.#callOff();
    this.#chat?.destroy();
    this.#emitter.clear();
    this.#chat = this.#planned = undefined;
    this.#begunWith = "";
    this.#waiting = [];
  }

  #again(wanted: string): boolean {
    if (wanted === this.#begunWith) return false;
    warn("a chat runs on this page already; call destroy() first to begin another");
    this.#emitter.emit("error", { code: "ALREADY_RUNNING" });
    return false;
  }
}

function surfaceOf(kefu: Kefu): FiidoKefu {
  const surface: FiidoKefu = {
    init: (config = {}) => (kefu.begin(config), surface),
    open: () => kefu.call((chat) => chat.open()),
    close: () => kefu.call((chat) => chat.close()),
    toggle: () => kefu.call((chat) => chat.toggle()),
    show: () => kefu.call((chat) => chat.show()),
    hide: () => kefu.call((chat) => chat.hide()),
    sendMessage: (text) => kefu.call((chat) => chat.sendMessage(text)),
    setUser: (user) => kefu.call((chat) => chat.identify(proofOf(user))),
    identify: (token) => kefu.call((chat) => chat.identify({ token })),
    setContext: (context) => kefu.call((chat) => chat.setContext(context)),
    setLocale: (locale) => kefu.call((chat) => chat.setLocale(locale)),
    setConsent: (given) => kefu.call((chat) => chat.setConsent(given)),
    on: (name, listener) => kefu.on(name, listener),
    off: (name, listener) => kefu.off(name, listener),
    logout: () => kefu.call((chat) => chat.logout()),
    destroy: () => kefu.destroy(),
    push: (...calls) => calls.forEach((call) => make(surface, call)),
  };
  return Object.freeze(surface);
}

function make(surface: FiidoKefu, [method, ...args]: Call): void {
  const call: unknown = Object.hasOwn(surface, method) && surface[method as keyof FiidoKefu];
  if (typeof call === "function") call(...args);
  else warn(`there is no call ${method}`);
}

export function warn(text: string): void {
  // eslint-disable-next-line no-console -- the shop's developers look there, and nobody else reads it
  console.warn(`FiidoKefu: ${text}`);
}

function whenParsed(start: () => void): () => void {
  document.addEventListener("DOMContentLoaded", start, { once: true });
  return () => document.removeEventListener("DOMContentLoaded", start);
}

function proofOf({ identifier, id, name, nickname, ...rest }: User): Proof {
  const { identifier_hash, email, phone } = rest;
  const given = { identifier: String(identifier ?? id), identifier_hash, name: name ?? nickname, email, phone };
  return JSON.parse(JSON.stringify(given)) as Proof;
}
