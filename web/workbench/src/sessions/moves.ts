import type { MoveEvent, SessionOpened } from "@kefu/api";
import { useI18n } from "vue-i18n";

/** State moves as sentences. */
export function useMoveWords() {
  const { t, te } = useI18n();

  function reason(code: string | null | undefined): string {
    for (const group of ["reasons", "closeReasons"]) if (te(`${group}.${code}`)) return t(`${group}.${code}`);
    return code ?? "";
  }

  function actor({ actor: { kind, name } }: MoveEvent | SessionOpened): string {
    return name || t(`actors.${kind}`);
  }

  function sentence(event: MoveEvent | SessionOpened): string {
    const verb = event.type.slice("session.".length);
    if (event.type === "session.taken_over") return t("moves.taken_over", { agent: event.agent.name });
    const said = "reason" in event ? reason(event.reason) : "";
    const text = t(`moves.${verb}`, { actor: actor(event), reason: said });
    const isSaid = event.type === "session.escalated" || event.type === "session.returned" || !said;
    return isSaid ? text : `${text} · ${t("moves.because", { reason: said })}`;
  }

  return { reason, sentence };
}
