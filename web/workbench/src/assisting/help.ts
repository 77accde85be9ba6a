import type { Api } from "@kefu/api";
import { request } from "../accounts/client";

export type Help = Api.Help;
export type Suggestion = Api.SuggestionOut;
export type Style = Api.Rewrite["style"];
type Translate = (key: string, named?: Record<string, unknown>) => string;

const path = (session: string) => `/api/sessions/${encodeURIComponent(session)}`;

export async function helpFor(session: string): Promise<Help> {
  return (await request<Api.HelpData>(`${path(session)}/help`)).data;
}

export async function suggest(session: string): Promise<Suggestion[]> {
  return (await request<Api.SuggestionsData>(`${path(session)}/suggestions`, { body: {} })).data.suggestions;
}

export async function reject(session: string, id: string): Promise<void> {
  await request(`${path(session)}/suggestions/${id}/reject`, { body: {} });
}

export async function rewrite(session: string, text: string, style: Style): Promise<string> {
  return (await request<Api.RewordedData>(`${path(session)}/rewrite`, { body: { text, style } })).data.text;
}

export async function translate(session: string, text: string, to: "en" | "zh"): Promise<string> {
  return (await request<Api.RewordedData>(`${path(session)}/translate`, { body: { text, to } })).data.text;
}

export async function summarise(session: string, to: "en" | "zh"): Promise<Api.Reworded> {
  return (await request<Api.RewordedData>(`${path(session)}/summary`, { body: { to } })).data;
}

/** Who made it, in words. */
export function madeBy(source: { kind: string; name: string }, t: Translate): string {
  return source.kind === "model" ? t("assisting.byModel", { name: source.name }) : t("assisting.byRule");
}

/** What a proposal rests on, where no model wrote it. */
export function originOf({ made_by, sources }: Suggestion, t: Translate): string {
  return made_by.kind === "model" ? madeBy(made_by, t) : t(`assisting.from.${sources[0]?.kind ?? "rule"}`);
}

/** Our own proposals come in the agent's language, a model's as it wrote it. */
export function stepOf(step: { code: string | null; text: string }, t: Translate): string {
  return step.code ? t(`assisting.steps.${step.code}`) : step.text;
}

export function percent(share: number): number {
  return Math.round(share * 100);
}
