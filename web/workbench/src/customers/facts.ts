import { type Customer, isUnreadable, type VisitorIntroduced } from "@kefu/api";
import type { useI18n } from "vue-i18n";
import type { Fact } from "../sessions/FactList.vue";

/** What stands for contacts in front of who may not see them. */
const HIDDEN = "***";

/** A contact as people read it. */
export function shown(contact: string, t: ReturnType<typeof useI18n>["t"]): string {
  return isUnreadable(contact) ? t("customers.unreadable") : contact;
}

/** What stands beside a conversation about its customer. */
export function factsOf(customer: Customer | undefined, t: ReturnType<typeof useI18n>["t"]): Fact[] {
  if (!customer) return [];
  const { id, email, phone, verified_by, doubt } = customer;
  const fact = (term: string, value: string) => contact(term, value, t);
  const sure = t(verified_by === "token" ? "customers.byToken" : "customers.byHash");
  return [
    { term: t("customers.identity"), value: doubt ? `${t("customers.unverified")} · ${t(`customers.doubts.${doubt}`)}` : sure },
    fact(t("customers.identifier"), id),
    ...(email ? [fact(t("customers.email"), email)] : []),
    ...(phone ? [fact(t("customers.phone"), phone)] : []),
  ];
}

/** What the visitor wrote into the form before the first word. */
export function factsSaid(said: VisitorIntroduced | undefined, t: ReturnType<typeof useI18n>["t"]): Fact[] {
  return [
    ...(said?.email ? [contact(t("customers.emailSaid"), said.email, t)] : []),
    ...(said?.agreed ? [{ term: t("customers.agreed"), value: said.agreed }] : []),
  ];
}

function contact(term: string, value: string, t: ReturnType<typeof useI18n>["t"]): Fact {
  return { term, value: shown(value, t), copy: !isUnreadable(value) && value !== HIDDEN };
}
