import { failureFrom, failureFromThrown } from "./failure";

export interface ClientOptions {
  /** "" for the same origin */
  base?: string;
  token?: () => string | null | undefined;
  /** For `Accept-Language`: the language of error messages. */
  locale?: () => string;
  fetch?: typeof fetch;
}

export interface RequestOptions {
  method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Sent as JSON; makes the method POST unless given. */
  body?: unknown;
  query?: Readonly<Record<string, string | number | boolean | null | undefined>>;
  signal?: AbortSignal;
  timeoutMs?: number;
  /** Goes on when the page is left; for little that is sent in the last moment. */
  keepalive?: boolean;
}

export interface Client {
  /** Resolves to the JSON body as it is; throws `ApiError` and nothing else. */
  request: <T>(path: string, options?: RequestOptions) => Promise<T>;
  /** Resolves to the body as a file; throws `ApiError` and nothing else. */
  file: (path: string, options?: RequestOptions) => Promise<Blob>;
}

const TIMEOUT_MS = 20_000;

export function createClient(options: ClientOptions = {}): Client {
  const { base = "", fetch: send = globalThis.fetch.bind(globalThis) } = options;

  async function answer<T>(path: string, call: RequestOptions, read: (response: Response) => Promise<T>): Promise<T> {
    try {
      const response = await send(base + path + queryOf(call.query), initOf(call, options));
      if (!response.ok) throw await failureFrom(response);
      return await read(response);
    } catch (thrown) {
      throw failureFromThrown(thrown);
    }
  }

  return {
    request: <T>(path: string, call: RequestOptions = {}) => answer(path, call, (response) => response.json() as Promise<T>),
    file: (path, call = {}) => answer(path, call, (response) => response.blob()),
  };
}

function initOf(call: RequestOptions, { token, locale }: ClientOptions): RequestInit {
  const headers = new Headers({ Accept: "application/json" });
  const bearer = token?.();
  if (bearer) headers.set("Authorization", `Bearer ${bearer}`);
  if (locale) headers.set("Accept-Language", locale());
  if (call.body !== undefined) headers.set("Content-Type", "application/json");
  const timeout = AbortSignal.timeout(call.timeoutMs ?? TIMEOUT_MS);
  return {
    method: call.method ?? (call.body === undefined ? "GET" : "POST"),
    headers,
    body: call.body === undefined ? null : JSON.stringify(call.body),
    ...(call.keepalive && { keepalive: true }),
    signal: call.signal ? AbortSignal.any([call.signal, timeout]) : timeout,
  };
}

function queryOf(query: RequestOptions["query"]): string {
  const given = Object.entries(query ?? {}).filter(([, value]) => value !== null && value !== undefined && value !== "");
  return given.length ? `?${new URLSearchParams(given.map(([key, value]) => [key, String(value)]))}` : "";
}
