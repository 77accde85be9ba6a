import { ApiError, failureFrom, type FileRef } from "@kefu/api";

export interface SendOptions {
  token: string;
  locale: string;
  signal: AbortSignal;
  /** How much of it is on its way, 0 to 1. */
  onProgress: (part: number) => void;
}

export interface UploadOptions extends SendOptions {
  session: string;
}

/** Sends a file of a conversation up. Throws `ApiError`. */
export function upload(file: File, { session, ...options }: UploadOptions): Promise<FileRef> {
  return sendFile(`/api/sessions/${encodeURIComponent(session)}/files`, file, options);
}

/** What the route answers about the file; only XMLHttpRequest tells how far it has come. Throws `ApiError`. */
export function sendFile<T>(to: string, file: File, options: SendOptions): Promise<T> {
  return new Promise((resolve, reject) => {
    const call = new XMLHttpRequest();
    call.open("POST", to);
    call.setRequestHeader("Authorization", `Bearer ${options.token}`);
    call.setRequestHeader("Accept-Language", options.locale);
    call.upload.addEventListener("progress", ({ loaded, total }) => options.onProgress(total ? loaded / total : 0));
    call.addEventListener("load", () => {
      if (call.status === 201) resolve((JSON.parse(call.responseText) as { data: T }).data);
      else void failureOf(call).then(reject);
    });
    call.addEventListener("error", () => reject(new ApiError(0, "NETWORK", "")));
    call.addEventListener("abort", () => reject(new ApiError(0, "CANCELLED", "")));
    options.signal.addEventListener("abort", () => call.abort());
    const form = new FormData();
    form.append("file", file, file.name);
    call.send(form);
  });
}

function failureOf(call: XMLHttpRequest): Promise<ApiError> {
  const wait = call.getResponseHeader("Retry-After");
  return failureFrom(new Response(call.responseText, { status: call.status, ...(wait && { headers: { "Retry-After": wait } }) }));
}
