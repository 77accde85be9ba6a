import type { Client } from "./client";

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
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await file(path, { query, timeoutMs: MAKING_MS }));
  link.download = `conversation-${session}.${format}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), MAKING_MS);
}
