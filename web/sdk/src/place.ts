import type { CameFrom } from "./protocol";

/** Where the visitor is, as far as anybody needs to know: a query or a fragment may name people. */
export function here(): CameFrom {
  const { origin, pathname } = location;
  return { page: origin + pathname, referrer: siteOf(document.referrer) };
}

/** "" for none, and for a page of the same site. */
function siteOf(referrer: string): string {
  const site = URL.canParse(referrer) ? new URL(referrer).origin : "";
  return site === location.origin ? "" : site;
}

/**
 * Pages that go on without loading another, too. `pushState` tells only the Navigation API, and the shop's history is not
 * ours to wrap: where there is none, `look` finds out when the chat is next used.
 */
export class Place {
  #page = here().page;

  constructor(private readonly moved: () => void) {
    addEventListener("popstate", this.look);
    globalThis.navigation?.addEventListener("currententrychange", this.look);
  }

  readonly look = (): void => {
    const { page } = here();
    if (page === this.#page) return;
    this.#page = page;
    this.moved();
  };

  close(): void {
    removeEventListener("popstate", this.look);
    globalThis.navigation?.removeEventListener("currententrychange", this.look);
  }
}
