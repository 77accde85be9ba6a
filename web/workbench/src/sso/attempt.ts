/** What this tab keeps while the person is at the provider; no other tab or page can bring them back into it. */
export interface Attempt {
  state: string;
  ticket: string;
  remember: boolean;
  /** Where in the workbench they wanted to go. */
  next: string | undefined;
}

const KEY = "kefu.sso";

export function remember(attempt: Attempt, session: Storage = sessionStorage): void {
  session.setItem(KEY, JSON.stringify(attempt));
}

/** The attempt that was begun here with this state. It can be taken once. */
export function take(state: string, session: Storage = sessionStorage): Attempt | null {
  const kept = session.getItem(KEY);
  session.removeItem(KEY);
  const attempt = kept ? (JSON.parse(kept) as Attempt) : null;
  return attempt?.state === state ? attempt : null;
}
