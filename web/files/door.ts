import type { FileRef } from "@kefu/api";
import type { InjectionKey } from "vue";
import type { Locale } from "./words";

/** Where files go and come from, as the app around them knows it. */
export interface FileDoor {
  locale: () => Locale;
  /** The conversation; what is attached belongs to it alone. */
  session: () => string;
  /** Where a file is sent up, and with whose token. Throws `ApiError`. */
  target: () => Promise<{ session: string; token: string }>;
  /** The content of a file of a message. Throws `ApiError`. */
  fetch: (file: FileRef) => Promise<Blob>;
}

export const fileDoor: InjectionKey<FileDoor> = Symbol("files");

/** A large file over a slow line. */
export const FETCH_MS = 120_000;
