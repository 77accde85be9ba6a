/** A request that did not succeed. `status` 0: no answer came (offline, refused, timed out). */
export class ApiError extends Error {
  override readonly name = "ApiError";

  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly details: Readonly<Record<string, unknown>> = {},
    readonly retryAfterMs: number | null = null,
  ) {
    super(message);
  }

  /** The same request may succeed later without anybody changing anything. */
  get isTransient(): boolean {
    return this.status === 0 || this.status === 408 || this.status === 429 || this.status >= 500;
  }
}

interface ErrorBody {
  error?: { code?: string; message?: string; details?: Record<string, unknown> };
}

export async function failureFrom(response: Response): Promise<ApiError> {
  const body = (await response.json().catch(() => null)) as ErrorBody | null;
  const { code = "HTTP_ERROR", message = response.statusText, details } = body?.error ?? {};
  return new ApiError(response.status, code, message, details, retryAfter(response.headers.get("Retry-After")));
}

export function failureFromThrown(thrown: unknown): ApiError {
  if (thrown instanceof ApiError) return thrown;
  const timedOut = thrown instanceof DOMException && thrown.name === "TimeoutError";
  return new ApiError(0, timedOut ? "TIMED_OUT" : "NETWORK", thrown instanceof Error ? thrown.message : String(thrown));
}

/** Seconds or an HTTP date (RFC 9110), as milliseconds from now. */
function retryAfter(header: string | null): number | null {
  if (!header) return null;
  const seconds = Number(header);
  const ms = Number.isNaN(seconds) ? Date.parse(header) - Date.now() : seconds * 1000;
  return Number.isNaN(ms) ? null : Math.max(0, ms);
}
