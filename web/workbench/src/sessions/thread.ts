import {
  allMessages,
  type ApiError,
  brings,
  type Brought,
  type Conversation,
  emptyConversation,
  expiringTyping,
  failureFromThrown,
  type FileRef,
  fold,
  foldStretch,
  follow,
  type Follower,
  type FollowState,
  type Frame,
  Marker,
  Outbox,
  type OutboxEntry,
  type Stretch,
  withDisconnect,
  withFailed,
  withoutEarlier,
  withoutPending,
  withPending,
} from "@kefu/api";
import { computed, ref, shallowRef } from "vue";
import { request, signedLine } from "../accounts/client";
import { HOLD_MS, Holding } from "./holding";
import { readUpTo, staleReply } from "./reading";
import type { Connection } from "./sessionList";
import type { Session } from "./session";

/** Typing marks expire after 6 s at the reader's; repeated often enough, they do not blink. */
const TYPING_REPEAT_MS = 3_000;
/** So many messages a conversation is opened with, and keeps while others are read. */
const AT_HAND = 200;
/** As many more at each step back. */
const STEP = 500;

/** One conversation as this browser has it: what was heard, what is being sent, and the line to the server. */
export class Thread {
  readonly state = shallowRef<Conversation>(emptyConversation());
  /** What merges and splits brought here from other sessions. */
  readonly brought = shallowRef<readonly Brought[]>([]);
  readonly connection = ref<Connection>("connecting");
  /** Set when the server will not let us follow. */
  readonly refusal = shallowRef<ApiError>();
  readonly session = shallowRef<Session>();
  readonly sessionFailure = shallowRef<ApiError>();
  /** The seq up to which this agent has looked, in this tab. */
  readonly seen = ref(0);
  /** Attached to what is being written. */
  readonly files = ref<FileRef[]>([]);
  private readonly holding = new Holding(() => this.outbox);
  /** The message that can still be taken back. */
  readonly held = this.holding.entry;
  readonly stale = computed(() => staleReply(this.state.value));
  private readonly path: string;
  private readonly outbox: Outbox;
  private readonly marker: Marker;
  private readonly typists = expiringTyping((frame) => this.hear(frame));
  private follower: Follower | undefined;
  private isOpen = false;
  private readingBack: Promise<void> | undefined;
  private suggestion: string | undefined;
  private typingSaidAt = 0;

  constructor(readonly name: string) {
    this.path = `/api/sessions/${encodeURIComponent(name)}`;
    this.marker = new Marker((seq) => request(`${this.path}/read`, { body: { seq } }));
    this.outbox = new Outbox({
      session: name,
      send: async (entry) => (await this.holding.isOver(entry)) && this.post(entry),
      onChange: (entries) => this.showUnsent(entries),
    });
  }

  /** Begins at the end of the log, or where it was left, and follows from there. */
  resume(): void {
    if (this.isOpen) return;
    this.isOpen = true;
    this.refusal.value = undefined;
    void this.loadSession();
    void this.readEnd().then(() => this.isOpen && this.connect());
  }

  private connect(): void {
    this.follower ??= follow<Frame>({
      ...signedLine(`/ws/session/${encodeURIComponent(this.name)}`),
      url: `${this.path}/events`,
      after: this.state.value.cursor,
      onFrame: (frame) => this.hear(frame),
      onState: (state) => this.lineIs(state),
    });
  }

  pause(): void {
    this.isOpen = false;
    this.follower?.close();
    this.follower = undefined;
    this.typists.close();
    this.state.value = withDisconnect(this.state.value);
  }

  /** Nobody reads it now: what was read back need not be kept. */
  leave(): void {
    this.pause();
    this.state.value = withoutEarlier(this.state.value, AT_HAND);
  }

  close(): void {
    this.pause();
    this.outbox.close();
  }

  /** From which proposed reply, if any, the agent writes the next one. */
  writeFrom(suggestion?: string): void {
    this.suggestion = suggestion;
  }

  /** `draft`: the revision of the draft that is sent. `mayUndo`: it waits a moment first, behind no other that waits. */
  send(content: string, draft: number, mayUndo = false): void {
    this.holding.release();
    const files = this.files.value;
    const entry = this.outbox.add(content, {
      seen: this.seen.value,
      draft,
      ...(this.suggestion && { suggestion: this.suggestion }),
      ...(files.length && { files }),
      ...(mayUndo && { held_until: Date.now() + HOLD_MS }),
    });
    if (mayUndo) this.holding.begin(entry);
    this.suggestion = undefined;
    this.files.value = [];
    this.typingSaidAt = 0;
  }

  /** What can still be taken back is not sent, and is to be written on. */
  takeBack(): OutboxEntry | undefined {
    const entry = this.held.value;
    if (!entry) return undefined;
    this.discard(entry.client_msg_id);
    this.holding.release();
    this.suggestion = entry.suggestion;
    this.files.value = [...(entry.files ?? []), ...this.files.value];
    return entry;
  }

  /** Resolves when all that was said is with the server, or soon: no line is no reason to wait for ever. */
  async deliver(): Promise<void> {
    this.holding.release();
    const isDone = () => this.outbox.entries().every((entry) => entry.failed);
    for (let looks = 0; looks < 50 && !isDone(); looks += 1) await new Promise((resolve) => setTimeout(resolve, 50));
  }

  /** The page may be gone before the outbox has its turn: what waits goes at once, and a repeat of it is none. */
  leavePage(): void {
    const entry = this.held.value;
    this.holding.release();
    if (entry) void this.post(entry, true).catch(() => undefined);
  }

  /** The end of the conversation is before the agent's eyes. */
  look(): void {
    const { ready, cursor } = this.state.value;
    if (!ready) return;
    this.seen.value = Math.max(this.seen.value, cursor);
    this.marker.read(readUpTo(this.state.value, this.seen.value).last);
  }

  sendAnyway(clientMsgId: string): void {
    this.outbox.retry(clientMsgId, { force: true });
  }

  resend(clientMsgId: string): void {
    this.outbox.retry(clientMsgId);
  }

  discard(clientMsgId: string): void {
    this.outbox.remove(clientMsgId);
    this.state.value = withoutPending(this.state.value, clientMsgId);
  }

  /** `internal`: into a note, of which the customer hears nothing. */
  sayTyping(active: boolean, internal = false): void {
    const now = Date.now();
    if (active ? now - this.typingSaidAt < TYPING_REPEAT_MS : this.typingSaidAt === 0) return;
    this.typingSaidAt = active ? now : 0;
    // A mark that is lost is not missed.
    if (!this.follower?.say({ type: "typing", active, internal })) request(`${this.path}/typing`, { body: { active, internal } }).catch(() => undefined);
  }

  async loadSession(): Promise<void> {
    try {
      const { data } = await request<{ data: { session: Session } }>(this.path);
      if ((this.session.value?.seq ?? 0) <= data.session.seq) this.session.value = data.session;
      this.sessionFailure.value = undefined;
    } catch (thrown) {
      this.sessionFailure.value = failureFromThrown(thrown);
    }
  }

  /** One step further back, unless all is here. Throws `ApiError`. */
  readBack(): Promise<void> {
    const { gap } = this.state.value;
    if (!gap) return Promise.resolve();
    this.readingBack ??= this.read({ before: gap.first, limit: STEP }).finally(() => (this.readingBack = undefined));
    return this.readingBack;
  }

  /** Where it fails the line tells why, or brings everything. */
  private async readEnd(): Promise<void> {
    if (this.state.value.cursor === 0) await this.read({ limit: AT_HAND }).catch(() => undefined);
  }

  private async read(query: { before?: number; limit: number }): Promise<void> {
    const { data } = await request<{ data: Stretch }>(`${this.path}/log`, { query });
    if (this.isOpen) this.state.value = foldStretch(this.state.value, data);
  }

  private post(entry: OutboxEntry, keepalive = false): Promise<unknown> {
    const body = {
      client_msg_id: entry.client_msg_id,
      content: entry.content,
      session_name: this.name,
      role: "agent",
      files: entry.files?.map(({ id }) => id),
      seen_seq: entry.seen,
      force: entry.force,
      draft_revision: entry.draft,
      suggestion_id: entry.suggestion,
    };
    return request("/api/manual/messages", { body, keepalive });
  }

  private hear(frame: Frame): void {
    if (frame.type === "typing") this.typists.seen(frame);
    const before = this.state.value;
    this.state.value = fold(before, frame);
    const { events } = this.state.value;
    if (frame.type === "stream.ready" ? events.some(brings) : before.ready && brings(frame)) void this.loadBrought();
    if (before.ready && before.epoch !== this.state.value.epoch) void this.loadSession();
  }

  /** What fails is asked for again when the stream is ready the next time. */
  private async loadBrought(): Promise<void> {
    const found = await allMessages(request, `${this.path}/messages`, true).catch(() => undefined);
    if (found) this.brought.value = found;
  }

  private lineIs(state: FollowState): void {
    if (state.phase === "open") this.connection.value = "live";
    if (state.phase === "refused") this.refusal.value = state.error;
    if (state.phase !== "waiting" && state.phase !== "refused") return;
    this.connection.value = "offline";
    this.state.value = withDisconnect(this.state.value);
  }

  private showUnsent(entries: readonly OutboxEntry[]): void {
    const unsent = new Set(entries.map((entry) => entry.client_msg_id));
    let state = this.state.value;
    for (const { client_msg_id, content, seen, files, failed } of entries) {
      const more = { ...(seen !== undefined && { seen }), ...(files && { files }) };
      state = withPending(state, { client_msg_id, content, role: "agent", ...more });
      if (failed) state = withFailed(state, client_msg_id, failed.code);
    }
    // Accepted ones stay until the log brings them; a failed one that is gone was discarded in another tab.
    for (const gone of state.pending.filter((each) => each.failed && !unsent.has(each.client_msg_id))) {
      state = withoutPending(state, gone.client_msg_id);
    }
    this.state.value = state;
  }
}
