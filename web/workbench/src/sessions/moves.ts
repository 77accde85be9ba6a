import type { LogEvent, MoveEvent, SessionOpened } from "@kefu/api";
import { useI18n } from "vue-i18n";

/** What brought a session from one state to another, its opening included. */
export type Move = MoveEvent | SessionOpened;

const MOVES: readonly Move["type"][] = [
  "session.opened",
  "session.escalated",
  "session.taken_over",
  "session.agent_lost",
  "session.transferred",
  "session.released",
  "session.closed",
  "session.reopened",
  "session.returned",
  "session.deferred",
];

/** By name: a page left open meets a newer server with moves it has no words for. */
export function isMove(event: LogEvent): event is Move {
  return MOVES.some((type) => type === event.type);
}

/** State moves as sentences. */
export function useMoveWords() {
  const { t, te } = useI18n();

  function reason(code: string | null | undefined): string {
    for (const group of ["reasons", "closeReasons"]) if (te(`${group}.${code}`)) return t(`${group}.${code}`);
    return code ?? "";
  }

  function actor({ actor: { kind, name } }: Move): string {
    return name || t(`actors.${kind}`);
  }

  function sentence(event: Move): string {
    const verb = event.type.slice("session.".length);
    if (event.type === "session.taken_over") return t("moves.taken_over", { agent: event.agent.name });
    if (event.type === "session.agent_lost") return t("duty.agentLost", { agent: event.agent.name });
    if (event.type === "session.transferred") {
      return t("moves.transferred", { from: event.from_agent?.name ?? t("actors.agent"), to: event.agent.name });
    }
    const said = "reason" in event ? reason(event.reason) : "";
    const text = t(`moves.${verb}`, { actor: actor(event), reason: said });
    const isSaid = event.type === "session.escalated" || event.type === "session.returned" || event.type === "session.deferred" || !said;
    return isSaid ? text : `${text} · ${t("moves.because", { reason: said })}`;
  }

  return { reason, sentence };
}
