import type { Client } from "./client";
import { keepFile } from "./keep";

export interface TranscriptWish {
  session: string;
  format: "txt" | "json" | "pdf";
  locale: string;
  /** With what visitors never see: for agents. */
  internal?: boolean;
}

const MAKING_MS = 60_000;

/** Gives a session's transcript, in the time zone of this machine, to the browser to keep. Throws `ApiError`. */
export async function saveTranscript({ file }: Pick<Client, "file">, wish: TranscriptWish): Promise<void> {
  const { session, format, locale, internal } = wish;
  const tz = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
  const query = { format, locale, tz, include: internal ? "internal" : undefined };
  const path = `/api/sessions/${encodeURIComponent(session)}/transcript`;
  keepFile(await file(path, { query, timeoutMs: MAKING_MS }), `conversation-${session}.${format}`);
}
