/** Events of a session's log that only agents hear. */
import type { AgentRef, Logged, Passage } from "./events";
import type { PolicyEvent } from "./policies";

/** Internal: agents only. */
export interface AnswerEvidenced extends Logged<"answer.evidenced"> {
  reply_to: number;
  draft_id: string;
  provider: string;
  model: string;
  fell_back_from?: string[];
  retrieval?: "keyword" | "fused";
  embedder?: string;
  knowledge_version: number | string;
  passages: Passage[];
  prompt_hash: string;
  tokens: unknown;
  cost: unknown;
  latency_ms: number;
  answered: boolean;
}

/** Internal, in shadow mode: what the bot would have said in place of the agent's message `reply_seq`. */
export interface BotDrafted extends Omit<AnswerEvidenced, "type" | "reply_to" | "draft_id"> {
  type: "bot.drafted";
  reply_seq: number;
  content: string;
  intent: string;
  /** 0…1: how far its words are the agent's. */
  agreement: number;
  same_article: boolean | null;
}

/** Internal: what the visitor looks at on the shop's page; null: nothing any more. */
export interface PageShown extends Logged<"page.shown"> {
  card: { kind: "product" | "order"; title: string; url: string; detail: string } | null;
}

/** Internal: the conversation began with an answer to what the shop said by itself. `text`: as it was shown. */
export interface InvitationAnswered extends Logged<"invitation.answered"> {
  id: string;
  text: string;
}

/** Internal: an agent sent a reply although others had written since they looked. */
export interface ReplyForced extends Logged<"reply.forced"> {
  seen_seq: number;
  missed: number;
  message_seq: number;
}

/** Internal: what whoever takes over is told; `code` names one of our own proposals. */
export interface HandoffPacket extends Logged<"handoff.packet"> {
  episode: number;
  up_to: number;
  reason: string;
  source: { kind: "model" | "rule"; name: string };
  wants: string;
  tried: { question: string; said: string; answered: boolean }[];
  evidence: { passage_id: string; article_id: string; version: number; title: string; score: number }[];
  mood: { label: string; sure: number };
  urgency: { label: string; sure: number };
  intent: { label: string; sure: number };
  orders: string[];
  products: string[];
  next_step: { code: string | null; text: string };
}

/** Internal: what became of a proposed reply. */
export interface SuggestionEvent extends Logged<"suggestion.used" | "suggestion.rejected"> {
  suggestion_id: string;
}

/** Internal: the session is offered to an agent, until then (ms). */
export interface SessionAssigned extends Logged<"session.assigned"> {
  agent: AgentRef;
  until: number;
}

/** Internal: and is not any more. */
export interface SessionUnassigned extends Logged<"session.unassigned"> {
  agent: AgentRef;
  reason: string;
}

/** Internal: the team was told that somebody waits so long. */
export interface WaitReminded extends Logged<"queue.reminded"> {
  minutes: number;
}

type Routed = SessionAssigned | SessionUnassigned | WaitReminded;
export type Internal =
  | Routed
  | AnswerEvidenced
  | BotDrafted
  | PageShown
  | InvitationAnswered
  | PolicyEvent
  | ReplyForced
  | HandoffPacket
  | SuggestionEvent;
