import type { AgentRef, Logged } from "./events";

/** A colleague as a note or a question names them. */
export interface Named extends AgentRef {
  username: string;
}

/** Internal: notes of agents. The last event of a note says how it stands. */
export interface NoteWritten extends Logged<"note.added" | "note.edited"> {
  note_id: string;
  content: string;
  mentions: Named[];
}

export interface NoteRemoved extends Logged<"note.removed"> {
  note_id: string;
}

export type NoteEvent = NoteWritten | NoteRemoved;

/** Internal: a colleague is asked to take the session. */
export interface TransferRequested extends Logged<"transfer.requested"> {
  request_id: string;
  from_agent: AgentRef;
  to_agent: AgentRef;
  reason: string;
  note: string;
  forced: boolean;
  lasts_seconds: number;
}

/** Internal: and how that ended. `reason`: what it expired of. */
export interface TransferEnded
  extends Logged<"transfer.accepted" | "transfer.declined" | "transfer.cancelled" | "transfer.expired"> {
  request_id: string;
  note?: string;
  reason?: string;
}

/** Internal: a colleague is asked something, and answers. */
export interface AssistRequested extends Logged<"assist.requested"> {
  assist_id: string;
  assistant: Named;
  question: string;
}

export interface AssistAnswered extends Logged<"assist.answered"> {
  assist_id: string;
  answer: string;
}

/** What agents say and do among themselves about a session. */
export type TeamEvent = NoteEvent | TransferRequested | TransferEnded | AssistRequested | AssistAnswered;

/** A transfer that this agent asked for, is asked for, or that concerns a session of theirs. */
export interface TransferChanged {
  type: "transfer.changed";
  request_id: string;
  session: string;
  status: "pending" | "accepted" | "declined" | "cancelled" | "expired";
  forced: boolean;
  from_agent: AgentRef;
  to_agent: AgentRef;
  /** Of the answer. */
  note: string;
  ended_by: string | null;
}

/** A question that this agent asked or is asked. */
export interface AssistChanged {
  type: "assist.changed";
  assist_id: string;
  session: string;
  status: "pending" | "answered";
  requester: AgentRef;
  assistant: AgentRef;
}

/** This agent is named in a note, or not any more, or has read where. `by`: who named them just now. */
export interface MentionsChanged {
  type: "mentions.changed";
  session: string | null;
  note_id: string | null;
  by: string | null;
}

/** What is told to single agents; what holds is asked for again. */
export type TeamFrame = TransferChanged | AssistChanged | MentionsChanged;
