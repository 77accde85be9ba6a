import type { LogEvent } from "@kefu/api";
import { useI18n } from "vue-i18n";
import { languageTag } from "../app/locale";
import { isMove, useMoveWords } from "../sessions/moves";
import { usePolicyWords } from "../policies/policies";
import { starsOf } from "../ratings/stars";
import { useTags } from "../tags/tags";
import { dateAndTime } from "../ui/time";

/** What stands for contacts in front of who may not see them. */
const HIDDEN = "***";

export interface Told {
  key: string;
  term: string;
  value: string;
  /** The event that is meant. */
  seq?: number;
}

export function hides(event: LogEvent): boolean {
  return JSON.stringify(event).includes(`"${HIDDEN}"`);
}

/** Any event in words: what happened, and what of it was recorded that people read. */
export function useEventWords() {
  const { t, te } = useI18n();
  const moves = useMoveWords();
  const said = useValueWords(moves.reason);

  function actor({ actor: { kind, name } }: LogEvent): string {
    return name ?? t(`actors.${kind}`);
  }

  function sentence(event: LogEvent): string {
    if (isMove(event)) return moves.sentence(event);
    const key = `replay.events.${event.type.replace(".", "_")}`;
    if (!te(key)) return event.type;
    const name = (field: string) => nameIn((event as unknown as Record<string, unknown>)[field]);
    return t(key, { actor: actor(event), agent: name("agent"), to_agent: name("to_agent") });
  }

  function facts(event: LogEvent): Told[] {
    const told = Object.entries(flat(event)).flatMap(([key, value]) => fact(key, value));
    return [{ key: "actor", term: t("replay.facts.actor"), value: actor(event) }, ...told];
  }

  function fact(key: string, value: unknown): Told[] {
    if (!te(`replay.facts.${key}`) || value === null || value === undefined || value === "") return [];
    const text = said(key, value);
    if (!text) return [];
    return [{ key, term: t(`replay.facts.${key}`), value: text, ...(SEQS.has(key) && { seq: Number(value) }) }];
  }

  return { sentence, facts };
}

/** A recorded value as people read it. */
function useValueWords(reason: (code: string) => string) {
  const { t, te } = useI18n();
  const policies = usePolicyWords();
  const tags = useTags();

  return function said(key: string, value: unknown): string {
    if (value === HIDDEN) return t("replay.hidden");
    if (typeof value === "boolean") return t(value ? "replay.yes" : "replay.no");
    if (key === "until") return dateAndTime(new Date(Number(value)), languageTag());
    if (key === "version" && value === 0) return t("policies.shipped");
    if (key === "score") return starsOf(Number(value));
    if (key === "agreement") return `${Math.round(Number(value) * 100)} %`;
    if (SEQS.has(key)) return `#${String(value)}`;
    if (key === "tag") return tags.byId.get(String(value))?.name ?? String(value);
    if (key === "reason") return reason(String(value));
    if (key === "policy" && typeof value === "object") return policies.nameOf(value as Parameters<typeof policies.nameOf>[0]);
    const known = [`status.${value}`, `severity.${value}`, `policies.effects.${value}`, `policies.kinds.${value}`, `replay.points.${value}`];
    const word = typeof value === "string" && WORDED.has(key) ? known.find((one) => te(one)) : undefined;
    return word ? t(word) : nameIn(value);
  };
}

const SEQS = new Set(["reply_to", "reply_seq", "message_seq", "about"]);
const WORDED = new Set(["from", "to", "severity", "effect", "kind", "point"]);

/** The fields under the names that people know them by; what lies a level deeper is brought up. */
function flat(event: LogEvent): Record<string, unknown> {
  const { actor: _actor, at: _at, seq: _seq, ...fields } = event;
  const shown: Record<string, unknown> = fields;
  if (event.type === "policy.decided") return { ...shown, policy: event.name, name: null, found: event.why.found };
  if (event.type === "mail.sent" || event.type === "mail.failed") return { ...shown, to: null, mail_to: event.to };
  if (event.type === "session.identified" || event.type === "customer.described") {
    const { name, id, email, phone } = event.customer;
    return { customer: name ?? id, email, phone };
  }
  // What was said stands on the left.
  if (event.type === "message.posted") return { ...shown, content: null };
  // The packet has its own card, the evidence its own list.
  if (event.type === "handoff.packet") return { reason: event.reason };
  return event.type === "page.shown" ? { card: event.card?.title } : shown;
}

/** A person by their name, a list by its parts, everything else as it is written. */
function nameIn(value: unknown): string {
  if (Array.isArray(value)) return value.map(nameIn).join(" · ");
  if (typeof value !== "object" || value === null) return String(value ?? "");
  return "name" in value ? String(value.name) : JSON.stringify(value);
}
