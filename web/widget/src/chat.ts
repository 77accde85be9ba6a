import {
  type Api,
  ApiError,
  brings,
  type Brought,
  Choice,
  type Client,
  emptyConversation,
  expiringTyping,
  type FileRef,
  fold,
  follow,
  type Follower,
  type FollowState,
  type Frame,
  isLogEvent,
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
import type { FileDoor } from "../../files/door";
import type { Card, Proof } from "../../sdk/src/protocol";
import type { ChatOptions } from "./chatOptions";
import { fileDoorOf } from "./fileDoor";
import { saidIn } from "./history";
import { Identity } from "./identity";
import { introduced, type Introduction } from "./introduction";
import { bodyOf, leftOver, superseded, withFiles } from "./leftover";
import type { Letter } from "./letter";
import { type Page, pageOf } from "./page";
import { lasting } from "./store";
import { freshVisit, type Visit, Visits } from "./visit";

const REFRESH_TOKEN_MS = 12 * 3_600_000;
const REFUSED = new Set([401, 403, 404]);
const MOVE_AGAIN_MS = 2_000;

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
  readonly isNew = computed(() => !this.isKnown.value && this.visit.value.who === undefined);
  readonly isOpen = computed(() => Boolean(this.visit.value.token));
  /** Whether there is a conversation, of which nothing has come yet. */
  readonly isAwaited = computed(() => this.isOpen.value && !this.conversation.value.synced);
  readonly session = computed(() => this.visit.value.session);
  readonly unread = computed(() => {
    const state = this.conversation.value;
    return state.synced ? unreadByVisitor(state).length : 0;
  });

  readonly client: Client;
  /** The first file opens the session, as the first word does. */
  readonly files: FileDoor;
  private readonly typingMarks = expiringTyping((frame) => this.apply(frame));
  private marker: Marker | undefined;
  private readonly choice = new Choice();
  private readonly visits: Visits;
  private readonly identity: Identity;
  private page: Page | null = null;
  private outbox: Outbox | undefined;
  private leftover: Outbox | undefined;
  private follower: Follower | undefined;
  /** A fresh session that is refused as well is the server's answer, not an old token. */
  private mayRenew = true;

  constructor(private readonly options: ChatOptions) {
    this.client = options.client(() => this.visit.value.token ?? this.visit.value.earlier ?? null);
    const { shop, client, locale } = options;
    this.files = fileDoorOf(this.client, { locale, session: () => this.session.value, target: () => this.target() });
    this.visits = new Visits(shop);
    this.identity = new Identity({
      shop,
      client,
      visits: this.visits,
      visit: () => this.visit.value,
      goOn: (visit) => this.goOnAs(visit),
      left: () => this.left(),
      failed: (code) => options.onError?.(code),
    });
    window.addEventListener("storage", this.onStorage);
    this.attach(this.visits.stored() ?? freshVisit());
    if (this.visit.value.token && Math.abs(Date.now() - this.visit.value.tokenAt) > REFRESH_TOKEN_MS) void this.refreshToken();
  }

  /** `files`: of this session. */
  send(content: string, files: readonly FileRef[] = []): void {
    const stored = this.visits.stored();
    if (!stored) this.visits.save(this.visit.value);
    else if (stored.session !== this.visit.value.session) this.attach(stored);
    this.outbox?.add(content, files.length ? { files } : {});
  }

  /** What the visitor looks at, for the bot and the agents. A conversation still to be opened takes it along. */
  show(card: Card | null): void {
    this.page = pageOf(card);
    if (!this.visit.value.token) return;
    const path = `/api/sessions/${encodeURIComponent(this.visit.value.session)}/page`;
    // Without it the visitor is served as well.
    this.client.request(path, { method: "PUT", body: { card: this.page } }).catch(() => undefined);
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
    const visit = this.visits.fresh(this.visit.value.token ?? this.visit.value.earlier);
    this.visits.save(visit);
    this.attach(visit);
  }

  /** Go on in another session of this visitor; where that was merged, in the one that was kept. Throws `ApiError`. */
  async goOnIn(session: string): Promise<void> {
    const left = this.visit.value;
    const opened = await this.client.request<Api.ConversationOpened>(`/api/visitor/sessions/${session}/token`, { method: "POST" });
    if (this.visit.value.session !== left.session) return;
    const visit: Visit = { ...this.visits.given(opened.session_name, opened.visitor_token), since: opened.seq };
    if (left.token) visit.left = { session: left.session, token: left.token };
    this.visits.save(visit);
    this.attach(visit);
  }

  /** Another person on this browser has another conversation; they are never mixed. */
  identify(proof: Proof): Promise<void> {
    return this.identity.identify(proof);
  }

  logout(): void {
    this.identity.logout();
  }

  private goOnAs(visit: Visit): void {
    if (visit.session !== this.visit.value.session) return this.attach(visit);
    this.visit.value = visit;
    if (visit.token) this.listen(visit);
    for (const { client_msg_id, failed } of this.outbox?.entries() ?? []) if (failed) this.retry(client_msg_id);
  }

  private left(): void {
    this.attach(this.visits.stored() ?? freshVisit());
    this.options.onLeft?.();
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
      send: (entry) => this.deliver(visit.session, entry),
      onChange: (entries) => this.showWaiting(entries),
      onFailed: (_entry, error) => this.refused(visit, error),
      onHeld: (held) => (this.held.value = held),
    });
    if (visit.left) this.leftover = leftOver(visit.left, this.options.client, (entry) => this.outbox?.add(entry.content, withFiles(entry)));
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
    if (isLogEvent(frame) && ready && frame.seq > cursor) this.options.onNews?.(frame);
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
    // Asked again with the next `stream.ready`.
    const found = await saidIn(this.client, session, true).catch(() => null);
    if (found && this.visit.value.session === session) this.brought.value = found;
  }

  private showWaiting(entries: readonly OutboxEntry[]): void {
    let state = this.conversation.value;
    for (const entry of entries) {
      const { client_msg_id, content, failed } = entry;
      state = withPending(state, { client_msg_id, content, role: "user", ...withFiles(entry) });
      if (failed) state = withFailed(state, client_msg_id);
    }
    this.conversation.value = state;
  }

  private async target(): Promise<{ session: string; token: string }> {
    await this.identity.pending;
    return { session: await this.opened(), token: this.visit.value.token ?? "" };
  }

  private async deliver(written: string, entry: OutboxEntry): Promise<void> {
    await this.identity.pending;
    const session = await this.opened();
    if (session !== written) throw superseded();
    const { token } = this.visit.value;
    try {
      await this.client.request(`/api/sessions/${session}/messages`, { body: bodyOf(entry) });
    } catch (thrown) {
      // Before it counts as refused, so that what was written after it does not overtake it.
      if (!(thrown instanceof ApiError) || !this.mayEnter(thrown, token)) throw thrown;
      await this.deliver(written, entry);
    }
  }

  /** Whether there is, or is going to be, another token than the one that was refused. */
  private mayEnter({ status, code }: ApiError, refused: string | null): boolean {
    if (status !== 401) return false;
    if (this.identity.pending || this.visit.value.token !== refused) return true;
    return this.mayRenew && !code.startsWith("IDENTITY_") && this.asksAgain();
  }

  /** A customer's token lasts a day; then the shop's word is asked for again. False where the shop said nothing. */
  private asksAgain(): boolean {
    const { proof } = this.identity;
    if (!proof) return false;
    this.mayRenew = false;
    void this.identify(proof);
    return true;
  }

  /** The session's name once the server knows it; two tabs open it together only once. */
  private async opened(): Promise<string> {
    if (this.visit.value.token) return this.visit.value.session;
    const open = (introduction: Introduction | null) => withLock(this.visits.key, async () => {
      const { session } = this.visit.value;
      const stored = this.visits.stored();
      const known = stored?.session === session ? stored.token : null;
      const token = known ?? (await this.requestToken(session, introduction));
      const visit = { ...this.visit.value, token, tokenAt: Date.now() };
      if (this.visit.value.session !== session) throw superseded();
      this.visit.value = visit;
      this.visits.save(visit);
      this.listen(visit);
      return session;
    });
    return await introduced(this.options, open);
  }

  private async requestToken(session: string, introduction: Introduction | null = null): Promise<string> {
    const { shop, locale, cameFrom, invitation } = this.options;
    const said = { introduction, came_from: cameFrom?.(), invitation: invitation?.() };
    const body = { session_id: session, shop: shop || null, locale: locale(), identity: this.identity.proof, page: this.page, ...said };
    return (await this.client.request<{ visitor_token: string }>("/api/conversation/new", { body })).visitor_token;
  }

  private async refreshToken(): Promise<void> {
    const { session } = this.visit.value;
    // A refusal shows on the stream as well, which deals with it.
    const token = await this.requestToken(session).catch(() => null);
    if (!token || this.visit.value.session !== session) return;
    this.visit.value = { ...this.visit.value, token, tokenAt: Date.now() };
    this.visits.save(this.visit.value);
  }

  private refused(visit: Visit, error: ApiError): void {
    const { into } = error.details;
    if (error.code === "SESSION_MERGED" && this.visit.value.session === visit.session) return void this.moveOver(String(into));
    if (this.identity.pending) return;
    this.options.onError?.(error.code);
    if (this.visit.value.session !== visit.session || !REFUSED.has(error.status)) return;
    if (error.code === "IDENTITY_CHANGED") return this.identity.leave();
    if (!this.mayRenew || error.code.startsWith("IDENTITY_")) return;
    if (!this.asksAgain()) void this.renew(visit);
  }

  /** The session is gone or no longer ours: what is written but not stored moves to a new one. */
  private async renew(refused: Visit): Promise<void> {
    this.mayRenew = false;
    await withLock(this.visits.key, async () => {
      const unsent = this.outbox?.entries() ?? [];
      for (const entry of unsent) this.outbox?.remove(entry.client_msg_id);
      const stored = this.visits.stored();
      const visit = stored && stored.session !== refused.session ? stored : freshVisit();
      this.visits.save(visit);
      this.attach(visit);
      for (const entry of unsent) this.outbox?.add(entry.content, withFiles(entry));
    });
  }

  /** Another tab has opened, renewed or left the conversation. */
  private readonly onStorage = (event: StorageEvent): void => {
    if (event.key !== this.visits.key || this.identity.pending) return;
    const visit = this.visits.stored();
    if (!visit) return this.identity.leave();
    const before = this.visit.value;
    if (visit.session !== before.session) return this.attach(visit);
    this.visit.value = visit;
    if (visit.token && !before.token) this.listen(visit);
  };
}
