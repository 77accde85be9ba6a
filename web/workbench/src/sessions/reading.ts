import { type Conversation, type MessagePosted, messages, type PendingMessage } from "@kefu/api";

/** The reply that the server refused because others had written since its writer looked. */
export function staleReply(state: Conversation): PendingMessage | undefined {
  return state.pending.find((message) => message.failed && message.code === "STALE_VIEW");
}

/** What the customer and colleagues wrote after `seen`, as the server counts it: not the bot, not oneself. */
export function missedSince(state: Conversation, seen: number, agentId: string): MessagePosted[] {
  return messages(state).filter(({ seq, actor }) => {
    const isOthers = actor.kind === "visitor" || (actor.kind === "agent" && actor.id !== agentId);
    return seq > seen && isOthers;
  });
}

/** How many messages of the customer stand up to `seq`, and where the last of them stands. */
export function readUpTo(state: Conversation, seq: number): { count: number; last: number } {
  const theirs = messages(state).filter((message) => message.role === "user" && message.seq <= seq);
  return { count: theirs.length + (state.gap?.theirs ?? 0), last: theirs.at(-1)?.seq ?? 0 };
}

/** Whether the customer has read the last thing that was said, and it was ours. */
export function isAnswerRead(state: Conversation): boolean {
  const last = messages(state).at(-1);
  return last?.role === "agent" && state.pending.length === 0 && last.seq <= state.read.visitor;
}
