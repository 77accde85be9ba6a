import { languageTag } from "../app/locale";

export function count(value: number): string {
  return new Intl.NumberFormat(languageTag()).format(value);
}

/** With a digit behind the point where it is little. */
export function percent(share: number): string {
  const maximumFractionDigits = share < 0.1 ? 1 : 0;
  return new Intl.NumberFormat(languageTag(), { style: "percent", maximumFractionDigits }).format(share);
}

/** A day as the server names it, `2026-11-27`. */
export function dayName(day: string): string {
  return new Intl.DateTimeFormat(languageTag(), { dateStyle: "medium", timeZone: "UTC" }).format(new Date(`${day}T00:00:00Z`));
}
