import "./shop.css";

type Call = [method: string, ...args: unknown[]];
type Kefu = Record<string, (...args: unknown[]) => void>;

declare global {
  interface Window {
    FiidoKefu?: Kefu | Call[];
  }
}

const LANGUAGE_KEY = "nordvelo.language";

/** The chat's script comes when it comes: until then it reads its calls from this list. */
function kefu(...[method, ...args]: Call): void {
  const chat = (window.FiidoKefu ??= []);
  if (Array.isArray(chat)) chat.push([method, ...args]);
  else chat[method]?.(...args);
}

function speak(language: string): void {
  document.documentElement.lang = language;
  for (const button of document.querySelectorAll<HTMLElement>("[data-language]")) {
    button.setAttribute("aria-pressed", String(button.dataset.language === language));
  }
  kefu("setLocale", language);
}

const wanted = new URLSearchParams(location.search).get("lang") ?? localStorage.getItem(LANGUAGE_KEY) ?? navigator.language;
speak(wanted.toLowerCase().startsWith("zh") ? "zh" : "en");

document.addEventListener("click", (event) => {
  const button = (event.target as Element).closest("button");
  if (!button) return;
  const { language, ask, name, price, question, open } = button.dataset;
  if (language) {
    localStorage.setItem(LANGUAGE_KEY, language);
    speak(language);
    // The address says how to begin; a reload keeps what was chosen since.
    history.replaceState(null, "", location.pathname + location.hash);
  }
  if (ask) {
    const image = button.parentElement?.querySelector("img")?.src;
    kefu("setContext", { kind: "product", title: name, detail: price, url: `${location.origin}/demo#${ask}`, image });
    kefu("open");
  }
  if (question !== undefined) kefu("sendMessage", button.textContent);
  if (open !== undefined) kefu("open");
});
