/** A page of a shop with the loader's code on it, and a frame that says what a test has it say. */
import { afterEach, beforeEach, vi } from "vitest";
import { Kefu } from "./api";
import type { ToHost } from "./protocol";
import type { Config, FiidoKefu } from "./types";

export const KEFU = "https://kefu.example";
export let inner: Kefu;
export let kefu: FiidoKefu;
let phone: boolean;
let onPhoneChange: () => void;

export function onPhone(is = true): void {
  phone = is;
  onPhoneChange();
}

beforeEach(() => {
  phone = false;
  localStorage.clear();
  // Noted, not followed: there is no Kefu here to load the frame's page from.
  vi.spyOn(HTMLIFrameElement.prototype, "src", "set").mockImplementation(function (this: HTMLIFrameElement, url) {
    this.dataset.src = url;
  });
  vi.stubGlobal("matchMedia", () => ({
    get matches() {
      return phone;
    },
    addEventListener: (_name: string, listener: () => void) => (onPhoneChange = listener),
    removeEventListener: () => undefined,
  }));
  vi.stubGlobal("requestIdleCallback", (work: () => void) => setTimeout(work));
  vi.stubGlobal("cancelIdleCallback", (timer: number) => clearTimeout(timer));
  vi.spyOn(navigator, "sendBeacon").mockReturnValue(true);
  inner = new Kefu(KEFU);
  kefu = inner.surface;
});

afterEach(() => {
  kefu.destroy();
  document.body.replaceChildren();
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

export function root(): ShadowRoot {
  const host = document.querySelector<HTMLElement>("#fiido-kefu");
  if (!host?.shadowRoot) throw new Error("no chat on the page");
  return host.shadowRoot;
}

export const button = () => root().querySelector("button")!;
export const iframe = () => root().querySelector("iframe");
export const panel = () => root().querySelector<HTMLElement>(".panel")!;

/** Records what the frame's window is told, and speaks as it. */
export function frame() {
  const told = vi.fn();
  const source = { postMessage: told } as unknown as Window;
  vi.spyOn(HTMLIFrameElement.prototype, "contentWindow", "get").mockReturnValue(source);
  const say = (message: ToHost, from: { origin?: string; source?: unknown } = {}) => {
    const event = new MessageEvent("message", { data: { kefu: 1, ...message }, origin: from.origin ?? KEFU });
    Object.defineProperty(event, "source", { value: from.source ?? source });
    window.dispatchEvent(event);
  };
  return { say, told, types: () => told.mock.calls.map(([message]) => message.type as string) };
}

export function started(config: Config = { shop: "demo", locale: "en" }) {
  kefu.init(config);
  kefu.open();
  return frame();
}
