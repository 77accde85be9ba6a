import type { Customer } from "@kefu/api";
import type { useI18n } from "vue-i18n";
import type { Fact } from "../sessions/FactList.vue";

/** What stands beside a conversation about its customer. */
export function factsOf(customer: Customer | undefined, t: ReturnType<typeof useI18n>["t"]): Fact[] {
  if (!customer) return [];
  const { id, email, phone, verified_by, doubt } = customer;
  const sure = t(verified_by === "token" ? "customers.byToken" : "customers.byHash");
  return [
    { term: t("customers.identity"), value: doubt ? `${t("customers.unverified")} · ${t(`customers.doubts.${doubt}`)}` : sure },
    { term: t("customers.identifier"), value: id, copy: true },
    ...(email ? [{ term: t("customers.email"), value: email, copy: true }] : []),
    ...(phone ? [{ term: t("customers.phone"), value: phone, copy: true }] : []),
  ];
}
