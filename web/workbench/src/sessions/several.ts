import { type Api, failureFromThrown } from "@kefu/api";

export type Outcome = Required<Api.Outcome>;

/** So many in one request: few enough that each is quick, and there is progress to be seen. */
const AT_ONCE = 20;

/**
 * Does one thing to many sessions, some at a time; `heard`: of how many the answer is there. Where a request fails, its
 * sessions and those behind them are refused with its code: whether anything was done to them, asking again will tell.
 */
export async function toEach(
  names: readonly string[],
  send: (some: readonly string[]) => Promise<Outcome>,
  heard: (done: number) => void,
): Promise<Outcome> {
  const outcome: Outcome = { changed: [], unchanged: [], refused: {} };
  for (let at = 0; at < names.length; at += AT_ONCE) {
    try {
      const { changed, unchanged, refused } = await send(names.slice(at, at + AT_ONCE));
      outcome.changed.push(...changed);
      outcome.unchanged.push(...unchanged);
      Object.assign(outcome.refused, refused);
    } catch (thrown) {
      const { code } = failureFromThrown(thrown);
      for (const name of names.slice(at)) outcome.refused[name] = code;
      break;
    }
    heard(Math.min(at + AT_ONCE, names.length));
  }
  return outcome;
}
