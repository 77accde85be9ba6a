import { type Customer, isUnreadable } from "@kefu/api";
import type { useI18n } from "vue-i18n";
import type { Fact } from "../sessions/FactList.vue";

/** What stands beside a conversation about its customer. */
export function factsOf(customer: Customer | undefined, t: ReturnType<typeof useI18n>["t"]): Fact[] {
  if (!customer) return [];
  const { id, email, phone, verified_by, doubt } = customer;
  const fact = (term: string, value: string) => (isUnreadable(value) ? { term, value: t("customers.unreadable") } : { term, value, copy: true });
  const sure = t(verified_by === "token" ? "customers.byToken" : "customers.byHash");
  return [
    { term: t("customers.identity"), value: doubt ? `${t("customers.unverified")} · ${t(`customers.doubts.${doubt}`)}` : sure },
    fact(t("customers.identifier"), id),
    ...(email ? [fact(t("customers.email"), email)] : []),
    ...(phone ? [fact(t("customers.phone"), phone)] : []),
  ];
}
