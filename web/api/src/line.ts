import type { ApiError } from "./failure";

/** What a transport gets for one attempt to listen. */
export interface Line {
  readonly url: string;
  /** The last seq received: where to go on. */
  readonly cursor: number;
  /** Aborted when the attempt is to end. */
  readonly signal: AbortSignal;
  readonly fetch: typeof fetch;
  token: () => string | Promise<string>;
  /** The server lets us listen. */
  opened: () => void;
  /** Something came: the line is not dead. */
  alive: () => void;
  /** A frame, as text or parsed; `seq` when it stands in the log. */
  deliver: (frame: string | object, seq?: number) => void;
  /** How to say something up, while that is possible. */
  speaks: (say: ((frame: object) => void) | undefined) => void;
}

/**
 * One attempt. Resolves when the line has ended, with the error if the server will not have us; rejects when nobody
 * could be reached, which is not the transport's fault.
 */
export type Transport = (line: Line) => Promise<ApiError | undefined>;

/** Trying again would change nothing. */
export const FINAL: ReadonlySet<number> = new Set([401, 403, 404]);

export async function signedHeaders(line: Line, accept: string): Promise<Headers> {
  return new Headers({ Accept: accept, Authorization: `Bearer ${await line.token()}` });
}
