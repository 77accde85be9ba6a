import { type Api, keepFile } from "@kefu/api";
import { file } from "../accounts/client";
import { useReport } from "./report";

/** What was used in the last `days` days, of one shop or of all ("") */
export function useCosts(shop: () => string, days: () => number) {
  const { report: costs, ...reading } = useReport<Api.Costs>("/api/reports/costs", () => ({ shop: shop() }), days);

  async function save(locale: string): Promise<void> {
    const { first: from, last: to } = costs.value ?? {};
    const query = { shop: shop(), from, to, locale };
    keepFile(await file("/api/reports/costs/file", { query, timeoutMs: 60_000 }), `costs.${from}.${to}.csv`);
  }

  return { costs, ...reading, save };
}
