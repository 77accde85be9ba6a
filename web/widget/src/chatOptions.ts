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
  /** What the visitor is asked before the first word; null for nothing. */
  introduction?: () => Promise<Introduction | null>;
  onNews?: (event: LogEvent) => void;
  onConversation?: (session: string) => void;
  onError?: (code: string) => void;
  /** Who was here is so no more: nothing of theirs may stay in sight. */
  onLeft?: () => void;
}
