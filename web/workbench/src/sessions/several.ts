import { type Api, failureFromThrown } from "@kefu/api";
import { request } from "../accounts/client";

export type Outcome = Required<Api.Outcome>;

/** So many in one request: few enough that each is quick, and there is progress to be seen. */
const AT_ONCE = 20;

/** Does one thing to many sessions. Where a request fails, its sessions and those behind them are refused with its code. */
export async function toEach(path: string, names: readonly string[], heard: (done: number) => void): Promise<Outcome> {
  const outcome: Outcome = { changed: [], unchanged: [], refused: {} };
  for (let at = 0; at < names.length; at += AT_ONCE) {
    try {
      const body = { session_names: names.slice(at, at + AT_ONCE) };
      const { data } = await request<{ data: Outcome }>(path, { body });
      outcome.changed.push(...data.changed);
      outcome.unchanged.push(...data.unchanged);
      Object.assign(outcome.refused, data.refused);
    } catch (thrown) {
      const { code } = failureFromThrown(thrown);
      for (const name of names.slice(at)) outcome.refused[name] = code;
      break;
    }
    heard(Math.min(at + AT_ONCE, names.length));
  }
  return outcome;
}
