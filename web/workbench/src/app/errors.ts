import { failureFromThrown } from "@kefu/api";
import { i18n } from "./locale";

/** A failure in the words of the chosen language; the server's own words where we have none. */
export function explain(thrown: unknown): string {
  const { code, message, details } = failureFromThrown(thrown);
  const { t, te } = i18n.global;
  if (code === "TIMED_OUT") return t("errors.NETWORK");
  // Only there the server says each reason in words.
  const fields = (code === "VALIDATION_FAILED" ? (details.fields ?? []) : []) as { field: string; reason: string }[];
  if (fields.length) return fields.map(({ reason }) => reason).join(" ");
  const key = `errors.${code}`;
  const minutes = Math.ceil(Number(details.retry_after ?? 0) / 60);
  return te(key) ? t(key, { minutes }) : message || t("errors.UNKNOWN");
}
