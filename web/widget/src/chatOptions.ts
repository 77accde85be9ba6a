import type { Client, LogEvent } from "@kefu/api";
import type { CameFrom } from "../../sdk/src/protocol";
import type { Introduction } from "./introduction";

export interface ChatOptions {
  shop: string;
  locale: () => string;
  /** Builds the client; the token is the running session's. */
  client: (token: () => string | null) => Client;
  /** Where on the shop's pages the visitor is, if that may be counted. */
  cameFrom?: () => CameFrom | null;
  /** The id of what the shop said by itself and the visitor answers. */
  invitation?: () => string | undefined;
  /** What the visitor says before the first word; null for nothing. */
  introduction?: () => Promise<Introduction | null>;
  /** The server wants what is `missing` of it. False when there is nothing to ask. */
  demand?: (missing: readonly string[]) => Promise<boolean>;
  onNews?: (event: LogEvent) => void;
  onConversation?: (session: string) => void;
  onError?: (code: string) => void;
  /** Who was here is so no more: nothing of theirs may stay in sight. */
  onLeft?: () => void;
}
