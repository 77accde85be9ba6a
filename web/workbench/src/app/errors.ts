import { failureFromThrown } from "@kefu/api";
import { i18n } from "./locale";

/** A failure in the words of the chosen language; the server's own words where we have none. */
export function explain(thrown: unknown): string {
  const { code, message } = failureFromThrown(thrown);
  const { t, te } = i18n.global;
  if (code === "TIMED_OUT") return t("errors.NETWORK");
  const key = `errors.${code}`;
  return te(key) ? t(key) : message || t("errors.UNKNOWN");
}
