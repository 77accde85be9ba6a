import {
  allMessages,
  type Api,
  ApiError,
  brings,
  type Brought,
  Choice,
  type Client,
  emptyConversation,
  expiringTyping,
  fold,
  follow,
  type Follower,
  type FollowState,
  type Frame,
  Marker,
  Outbox,
  type OutboxEntry,
  poll,
  sse,
  unreadByVisitor,
  withDisconnect,
  withFailed,
  withLock,
  withoutPending,
  withPending,
} from "@kefu/api";
import { computed, shallowRef } from "vue";
import { leftOver } from "./leftover";
import type { Letter } from "./letter";
import type { Verdict } from "./rating";
import { lasting } from "./store";
import { freshVisit, saveVisit, storedVisit, type Visit, visitKey } from "./visit";

export interface ChatOptions {
  shop: string;
  locale: () => string;
  /** Builds the client; the token is the running session's. */
  client: (token: () => string | null) => Client;
  onMessage?: (message: { role: string; content: string; seq: number }) => void;
  onConversation?: (session: string) => void;
  onError?: (code: string) => void;
}

const REFRESH_TOKEN_MS = 12 * 3_600_000;
const REFUSED = new Set([401, 403, 404]);
const MOVE_AGAIN_MS = 2_000;

interface Opened {
  session_name: string;
  visitor_token: string;
  seq: number;
}

/** One visitor's conversation: what is known of it, and the few things a visitor can do. */
export class Chat {
  readonly conversation = shallowRef(emptyConversation());
  readonly connection = shallowRef<FollowState>({ phase: "closed" });
  /** More was written than may be sent in a minute; the rest goes by itself. */
  readonly held = shallowRef(false);
  /** What merges and splits brought here from other sessions. */
  readonly brought = shallowRef<readonly Brought[]>([]);
  private readonly visit = shallowRef(freshVisit());
  /** Whether the server knows this visitor, so that there may be earlier conversations. */
  readonly isKnown = computed(() => Boolean(this.visit.value.token ?? this.visit.value.earlier));
  readonly session = computed(() => this.visit.value.session);
  readonly unread = computed(() => {
    const state = this.conversation.value;
    return state.synced ? unreadByVisitor(state).length : 0;
  });

  readonly client: Client;
  private readonly typingMarks = expiringTyping((frame) => this.apply(frame));
  private marker: Marker | undefined;
  private readonly choice = new Choice();
  private key: string;
  private outbox: Outbox | undefined;
  private leftover: Outbox | undefined;
  private follower: Follower | undefined;
  /** A fresh session that is refused as well is the server's answer, not an old token. */
  private mayRenew = true;

  constructor(private readonly options: ChatOptions) {
    this.client = options.client(() => this.visit.value.token ?? this.visit.value.earlier ?? null);
    this.key = visitKey(options.shop, undefined);
    window.addEventListener("storage", this.onStorage);
    this.attach(storedVisit(this.key) ?? freshVisit());
    if (this.visit.value.token && Date.now() - this.visit.value.tokenAt > REFRESH_TOKEN_MS) void this.refreshToken();
  }

  send(content: string): void {
    const stored = storedVisit(this.key);
    if (!stored) saveVisit(this.key, this.visit.value);
    else if (stored.session !== this.visit.value.session) this.attach(stored);
    this.outbox?.add(content);
  }

  retry(clientMsgId: string): void {
    this.outbox?.retry(clientMsgId);
  }

  discard(clientMsgId: string): void {
    this.outbox?.remove(clientMsgId);
    this.conversation.value = withoutPending(this.conversation.value, clientMsgId);
  }

  /** Asks for a person; false when nobody serves now, and nothing has changed. */
  async escalate(): Promise<boolean> {
    const session_name = await this.opened();
    const body = { session_name, reason: "manual" };
    return (await this.client.request<{ is_in_shift: boolean }>("/api/manual/escalate", { body })).is_in_shift;
  }

  /** Out of hours. Where the shift has begun meanwhile, a person is asked for in the chat instead: false. */
  async leave(letter: Pick<Letter, "email" | "message" | "client_msg_id">): Promise<boolean> {
    const { email, message, client_msg_id } = letter;
    const session = await this.opened();
    try {
      await this.client.request(`/api/sessions/${session}/email`, { body: { email, message, client_msg_id } });
      return true;
    } catch (thrown) {
      if (!(thrown instanceof ApiError) || thrown.code !== "IN_SHIFT") throw thrown;
      await this.escalate();
      if (message.trim()) this.send(message);
      return false;
    }
  }

  /** Once for each service: what was said before, maybe in another tab or by an answer that was lost, is as good. */
  async rate(verdict: Verdict): Promise<void> {
    try {
      await this.client.request(`/api/sessions/${this.session.value}/rating`, { body: verdict });
    } catch (thrown) {
      if (!(thrown instanceof ApiError) || thrown.code !== "ALREADY_RATED") throw thrown;
    }
  }

  /** In the visitor's language. */
  async ratingReasons(): Promise<Api.ReasonOut[]> {
    return (await this.client.request<Api.RatingsData>(`/api/sessions/${this.session.value}/rating`)).data.reasons;
  }

  /** Only a hint to whoever watches: a lost one is no loss. */
  typing(active: boolean): void {
    const { session, token } = this.visit.value;
    if (!token) return;
    const path = `/api/sessions/${session}/typing`;
    this.client.request(path, { body: { active } }).catch(() => undefined);
  }

  /** All there is was seen. Shown at once; what the server could not be told is told again with the next call. */
  markRead(): void {
    const last = unreadByVisitor(this.conversation.value).at(-1);
    if (last) this.apply({ type: "read", actor: { kind: "visitor" }, seq: last.seq });
    this.marker?.read(this.conversation.value.read.visitor);
  }

  startOver(): void {
    const visit = freshVisit(this.visit.value.token ?? this.visit.value.earlier);
    saveVisit(this.key, visit);
    this.attach(visit);
  }

  /** Go on in another session of this visitor; where that was merged, in the one that was kept. Throws `ApiError`. */
  async goOnIn(session: string): Promise<void> {
    const left = this.visit.value;
    const opened = await this.client.request<Opened>(`/api/visitor/sessions/${session}/token`, { method: "POST" });
    if (this.visit.value.session !== left.session) return;
    const visit: Visit = { session: opened.session_name, token: opened.visitor_token, tokenAt: Date.now(), since: opened.seq };
    if (left.token) visit.left = { session: left.session, token: left.token };
    saveVisit(this.key, visit);
    this.attach(visit);
  }

  /** Another person on this browser has another conversation; they are never mixed. */
  setUser(userId: string | undefined): void {
    this.key = visitKey(this.options.shop, userId);
    this.attach(storedVisit(this.key) ?? freshVisit());
  }

  logout(): void {
    for (const entry of this.outbox?.entries() ?? []) this.outbox?.remove(entry.client_msg_id);
    lasting.removeItem(this.key);
    this.setUser(undefined);
    lasting.removeItem(this.key);
    this.attach(freshVisit());
  }

  close(): void {
    window.removeEventListener("storage", this.onStorage);
    this.detach();
  }

  private detach(): void {
    this.follower?.close();
    this.outbox?.close();
    this.leftover?.close();
    this.typingMarks.close();
    this.follower = undefined;
  }

  private attach(visit: Visit): void {
    this.detach();
    this.visit.value = visit;
    this.conversation.value = emptyConversation();
    this.brought.value = [];
    this.held.value = false;
    this.connection.value = { phase: "closed" };
    const path = `/api/sessions/${visit.session}/read`;
    this.marker = new Marker((seq) => this.client.request(path, { body: { seq } }));
    this.outbox = new Outbox({
      session: visit.session,
      storage: lasting,
      send: (entry) => this.deliver(entry),
      onChange: (entries) => this.showWaiting(entries),
      onFailed: (_entry, error) => this.refused(visit, error),
      onHeld: (held) => (this.held.value = held),
    });
    if (visit.left) this.leftover = leftOver(visit.left, this.options.client, (content) => this.outbox?.add(content));
    if (visit.token) this.listen(visit);
  }

  private listen(visit: Visit): void {
    this.follower?.close();
    this.follower = follow<Frame>({
      url: `/api/sessions/${visit.session}/events`,
      token: () => this.visit.value.token ?? "",
      transports: [sse, poll],
      choice: this.choice,
      after: this.conversation.value.cursor,
      onFrame: (frame) => this.apply(frame),
      onState: (state) => {
        this.connection.value = state;
        if (state.phase === "waiting") this.conversation.value = withDisconnect(this.conversation.value);
        if (state.phase === "open") this.mayRenew = true;
        if (state.phase === "refused") this.refused(visit, state.error);
      },
    });
    this.options.onConversation?.(visit.session);
  }

  private apply(frame: Frame): void {
    const { ready, cursor } = this.conversation.value;
    this.conversation.value = fold(this.conversation.value, frame);
    if (frame.type === "typing") this.typingMarks.seen(frame);
    this.follows(frame);
    if (frame.type === "message.posted" && ready && frame.seq > cursor) {
      this.options.onMessage?.({ role: frame.role, content: frame.content, seq: frame.seq });
    }
  }

  /** Where the talk goes on elsewhere, this tab goes there; what came from elsewhere is read here. */
  private follows(frame: Frame): void {
    const { events, ready } = this.conversation.value;
    if (frame.type === "session.merged_into") void this.moveOver(frame.into);
    if (frame.type === "session.split_off" && frame.seq > (this.visit.value.since ?? 0)) void this.moveOver(frame.into);
    if (frame.type === "stream.ready" ? events.some(brings) : ready && brings(frame)) void this.loadBrought();
  }

  private async moveOver(into: string): Promise<void> {
    const { session } = this.visit.value;
    while (this.visit.value.session === session) {
      await this.goOnIn(into).catch(() => new Promise((resolve) => setTimeout(resolve, MOVE_AGAIN_MS)));
    }
  }

  private async loadBrought(): Promise<void> {
    const { session } = this.visit.value;
    const path = `/api/visitor/sessions/${session}/messages`;
    // Asked again with the next `stream.ready`.
    const found = await allMessages(this.client.request, path, true).catch(() => null);
    if (found && this.visit.value.session === session) this.brought.value = found;
  }

  private showWaiting(entries: readonly OutboxEntry[]): void {
    let state = this.conversation.value;
    for (const { client_msg_id, content, failed } of entries) {
      state = withPending(state, { client_msg_id, content, role: "user" });
      if (failed) state = withFailed(state, client_msg_id);
    }
    this.conversation.value = state;
  }

  private async deliver({ client_msg_id, content }: OutboxEntry): Promise<void> {
    const session = await this.opened();
    await this.client.request(`/api/sessions/${session}/messages`, { body: { client_msg_id, content } });
  }

  /** The session's name once the server knows it; two tabs open it together only once. */
  private async opened(): Promise<string> {
    if (this.visit.value.token) return this.visit.value.session;
    return await withLock(this.key, async () => {
      const { session } = this.visit.value;
      const stored = storedVisit(this.key);
      const known = stored?.session === session ? stored.token : null;
      const token = known ?? (await this.requestToken(session));
      const visit = { ...this.visit.value, token, tokenAt: Date.now() };
      if (this.visit.value.session !== session) throw new ApiError(409, "SUPERSEDED", "another conversation has begun");
      this.visit.value = visit;
      saveVisit(this.key, visit);
      this.listen(visit);
      return session;
    });
  }

  private async requestToken(session: string): Promise<string> {
    const { shop, locale } = this.options;
    const body = { session_id: session, ...(shop && { shop }), locale: locale() };
    return (await this.client.request<{ visitor_token: string }>("/api/conversation/new", { body })).visitor_token;
  }

  private async refreshToken(): Promise<void> {
    const { session } = this.visit.value;
    // A refusal shows on the stream as well, which deals with it.
    const token = await this.requestToken(session).catch(() => null);
    if (!token || this.visit.value.session !== session) return;
    this.visit.value = { ...this.visit.value, token, tokenAt: Date.now() };
    saveVisit(this.key, this.visit.value);
  }

  private refused(visit: Visit, error: ApiError): void {
    const { into } = error.details;
    if (error.code === "SESSION_MERGED" && this.visit.value.session === visit.session) return void this.moveOver(String(into));
    this.options.onError?.(error.code);
    if (REFUSED.has(error.status) && this.mayRenew && this.visit.value.session === visit.session) void this.renew(visit);
  }

  /** The session is gone or no longer ours: what is written but not stored moves to a new one. */
  private async renew(refused: Visit): Promise<void> {
    this.mayRenew = false;
    await withLock(this.key, async () => {
      const unsent = this.outbox?.entries() ?? [];
      for (const entry of unsent) this.outbox?.remove(entry.client_msg_id);
      const stored = storedVisit(this.key);
      const visit = stored && stored.session !== refused.session ? stored : freshVisit();
      saveVisit(this.key, visit);
      this.attach(visit);
      for (const entry of unsent) this.outbox?.add(entry.content);
    });
  }

  /** Another tab has opened, renewed or left the conversation. */
  private readonly onStorage = (event: StorageEvent): void => {
    if (event.key !== this.key) return;
    const visit = storedVisit(this.key);
    if (!visit) return this.attach(freshVisit());
    const before = this.visit.value;
    if (visit.session !== before.session) return this.attach(visit);
    this.visit.value = visit;
    if (visit.token && !before.token) this.listen(visit);
  };
}
