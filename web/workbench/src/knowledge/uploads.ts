import { type Api, type ApiError, failureFromThrown } from "@kefu/api";
import { reactive } from "vue";
import { sendFile } from "../../../files/upload";
import { tokens } from "../accounts/client";
import { languageTag } from "../app/locale";

/** A file on its way up. `part`: how much of it is gone, 0 to 1. */
export interface Upload {
  id: number;
  file: File;
  part: number;
  failure: ApiError | null;
  stop: () => void;
}

let count = 0;

/** The files that go up, one after the other; `arrived` hears of each that was taken. */
export function useUploads(query: () => Record<string, string>, arrived: (document: Api.DocumentOut) => void) {
  const uploads = reactive<Upload[]>([]);
  let last: Promise<void> = Promise.resolve();

  function add(files: Iterable<File>): void {
    for (const file of files) {
      const upload = reactive<Upload>({ id: ++count, file, part: 0, failure: null, stop: () => undefined });
      uploads.unshift(upload);
      start(upload);
    }
  }

  function start(upload: Upload): void {
    const running = new AbortController();
    upload.stop = () => {
      running.abort();
      drop(upload);
    };
    Object.assign(upload, { part: 0, failure: null });
    last = last.then(() => (running.signal.aborted ? undefined : send(upload, running.signal)));
  }

  async function send(upload: Upload, signal: AbortSignal): Promise<void> {
    try {
      const options = { token: await tokens.access(), locale: languageTag(), signal, onProgress: (part: number) => (upload.part = part) };
      const to = `/api/knowledge/documents?${new URLSearchParams(query())}`;
      arrived(await sendFile<Api.DocumentOut>(to, upload.file, options));
      drop(upload);
    } catch (thrown) {
      if (!signal.aborted) upload.failure = failureFromThrown(thrown);
    }
  }

  function drop(upload: Upload): void {
    const at = uploads.findIndex(({ id }) => id === upload.id);
    if (at >= 0) uploads.splice(at, 1);
  }

  return { uploads, add, again: start, drop };
}
