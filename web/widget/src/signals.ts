import { askedOfBot, chime, inWords, isQuiet, messages } from "@kefu/api";
import { computed, onUnmounted, ref, watch } from "vue";
import type { Chat } from "./chat";
import { lasting } from "./store";
import { words } from "./words";

/** A bot that stays silent is not waited for for ever. */
const PATIENCE_MS = 45_000;
/** What is answered, or left to people, at once was never waited for. */
const AT_ONCE_MS = 300;
const BLIP_MS = 2_000;
const SOUND = "kefu.sound";
/** By the visitor's own clock. */
const NIGHT = { from: "22:00", until: "08:00" };

/** True while the bot looks for an answer and nothing of it has come, as far as this page can know. */
export function useThinking(chat: Pick<Chat, "conversation">) {
  const asked = computed(() => {
    const { ready, drafts } = chat.conversation.value;
    return ready && Object.keys(drafts).length === 0 ? askedOfBot(chat.conversation.value) : undefined;
  });
  const shown = ref(false);
  /** What was written here. Since when all else has stood only the server's clock says, which may not be this one. */
  const own = new Set<string>();
  const until = new WeakMap<object, number>();
  let timers: ReturnType<typeof setTimeout>[] = [];
  const stop = () => timers.forEach(clearTimeout);

  watch(chat.conversation, ({ pending }) => pending.forEach((one) => own.add(one.client_msg_id)));
  watch(asked, (now) => {
    stop();
    shown.value = false;
    if (!now) return;
        const begun = own.has(now.client_msg_id ?? "") ? Date.now() : Date.parse(now.at);
    const end = until.get(now) ?? Math.min(begun, Date.now()) + PATIENCE_MS;
    until.set(now, end);
    timers = [setTimeout(() => (shown.value = Date.now() < end), AT_ONCE_MS), setTimeout(() => (shown.value = false), end - Date.now())];
  });
  onUnmounted(stop);
  return computed(() => asked.value !== undefined && shown.value);
}

/** True while the page can be seen; a hidden tab reads nothing. */
export function usePageVisible() {
  const visible = ref(!document.hidden);
  const update = () => (visible.value = !document.hidden);
  document.addEventListener("visibilitychange", update);
  onUnmounted(() => document.removeEventListener("visibilitychange", update));
  return visible;
}

/** True when the line has been down for longer than a blip, or the browser knows it is offline. */
export function useOffline(chat: Chat) {
  const offline = ref(!navigator.onLine);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const update = () => {
    const { phase } = chat.connection.value;
    const trying = phase === "connecting" || phase === "waiting";
    if (trying && navigator.onLine) {
      timer ??= setTimeout(() => (offline.value = true), BLIP_MS);
      return;
    }
    clearTimeout(timer);
    timer = undefined;
    offline.value = !navigator.onLine;
  };
  watch(chat.connection, update);
  window.addEventListener("online", update);
  window.addEventListener("offline", update);
  onUnmounted(() => {
    clearTimeout(timer);
    window.removeEventListener("online", update);
    window.removeEventListener("offline", update);
  });
  return offline;
}

interface Announced {
  key: number;
  text: string;
}

/** More at once would only be noise. */
const ANNOUNCED_AT_ONCE = 4;

/**
 * What a screen reader is told, politely and in whole: each new message once, never its letters as they stream, and nothing
 * of what was there already. Each text is an element of its own, so that the same one is heard again.
 */
export function useAnnouncements(chat: Pick<Chat, "session" | "conversation">) {
  const said = ref<Announced[]>([]);
  let next = 0;
  let heard: number | undefined;
  let failures = 0;
  let hasSpoken = false;

  function announce(text: string): void {
    said.value = [...said.value, { key: next++, text }].slice(-ANNOUNCED_AT_ONCE);
  }

  watch([chat.session, chat.conversation] as const, ([session, state], [before]) => {
    if (session !== before) [heard, failures, hasSpoken] = [undefined, 0, false];
    const failed = state.pending.filter((one) => one.failed).length;
    if (failed > failures) announce(words.value.failed);
    failures = failed;
    hasSpoken ||= state.pending.length > 0;
    if (!state.ready) return;
    const all = messages(state);
    // The answer to what opened the talk may come with the first words of the log.
    heard ??= hasSpoken ? (all.findLast(({ role }) => role === "user")?.seq ?? 0) : state.cursor;
    for (const one of all) {
      if (one.seq <= heard || one.role === "user") continue;
      const name = one.role === "agent" ? (one.actor.name ?? words.value.agent) : words.value.bot;
      announce(`${name}: ${inWords(one)}`);
    }
    heard = Math.max(heard, state.cursor);
  });
  return { said, announce };
}

/** Whether what comes unseen is heard: on until the visitor wants it off, and never at night. */
export function useSound(chat: Chat, isSeen: () => boolean) {
  const on = ref(lasting.getItem(SOUND) !== "off");
  watch(chat.unread, (now, before) => {
    // Before anybody has touched it a browser makes no sound.
    const isTouched = !("userActivation" in navigator) || navigator.userActivation.hasBeenActive;
    if (now > before && on.value && isTouched && !isSeen() && !isQuiet(NIGHT, new Date())) chime();
  });

  function toggle(): void {
    on.value = !on.value;
    lasting.setItem(SOUND, on.value ? "on" : "off");
    if (on.value) chime();
  }

  return { on, toggle };
}

/** Where the browser keeps nothing, who leaves before all is sent is asked first. */
export function useLeaveWarning(chat: Chat): void {
  const ask = (event: BeforeUnloadEvent) => event.preventDefault();
  watch(chat.conversation, ({ pending }) => {
    const isAtRisk = pending.length > 0 && lasting.forgets("kefu.outbox.");
    if (isAtRisk) window.addEventListener("beforeunload", ask);
    else window.removeEventListener("beforeunload", ask);
  });
  onUnmounted(() => window.removeEventListener("beforeunload", ask));
}
