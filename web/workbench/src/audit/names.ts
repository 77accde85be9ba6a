import { useI18n } from "vue-i18n";
import { useAccount } from "../accounts/account";
import type { Locale } from "../app/locale";
import { useColleagues } from "../transfers/colleagues";
import { ACTIONS } from "./actions";
import type { Entry } from "./log";

/** What people call the parts of an entry; what is not known is shown as it is. */
export function useNames() {
  const { t, te, locale } = useI18n();
  const account = useAccount();
  const team = useColleagues();

  const action = (name: string) => ACTIONS[name]?.[locale.value as Locale] ?? name;

  const actor = ({ name, role }: Entry["actor"]) => name || t(role === "system" ? "audit.system" : "audit.nobody");

  const type = (name: string) => (te(`audit.types.${name}`) ? t(`audit.types.${name}`) : name);

  /** By the name it has in the entry itself, or that of the colleague; otherwise its id. */
  const object = ({ object: { type: kind, id }, before, after }: Entry) => {
    const told: unknown = after?.["title"] ?? after?.["name"] ?? before?.["title"];
    if (typeof told === "string") return told;
    if (told) return (told as Record<string, string>)[locale.value] ?? id;
    if (kind !== "agent") return id;
    return [account.agent, ...team.others].find((one) => one?.id === id)?.name ?? id;
  };

  return { action, actor, type, object };
}
