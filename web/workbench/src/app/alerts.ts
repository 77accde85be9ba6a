import { chime, isQuiet, type SessionSummary } from "@kefu/api";
import { useStorage } from "@vueuse/core";
import type { MessageHandler } from "element-plus";
import { watch, watchEffect } from "vue";
import { useI18n } from "vue-i18n";
import { deskFrames } from "../sessions/deskFrames";
import { nameOf } from "../sessions/session";
import { useSessionList } from "../sessions/sessionList";
import { router } from "./router";

/** Off until asked for: a browser asks for leave only after a click. */
const OFF = { sound: false, notifications: false, quiet: { from: "22:00", until: "08:00" } };
export const alerts = useStorage("kefu.alerts", OFF, localStorage, { mergeDefaults: true });

/** Says whether notifications may be shown, asking the person if that is still open. */
export async function allowNotifications(): Promise<boolean> {
  if (!("Notification" in globalThis)) return false;
  return (await Notification.requestPermission()) === "granted";
}

/** Tells of customers who begin to wait or are offered, and of long waits: in the title, by ear, beside the browser. */
export function useAlerts(): void {
  const { t, locale } = useI18n();
  const list = useSessionList();
  const name = (session: SessionSummary) => nameOf(session, (short) => t("list.visitor", { name: short }));
  const notify = (session: SessionSummary, title: string) =>
    tell({ title: t(title, { name: name(session) }), body: session.last_message_preview?.content ?? "", session: session.session_name });

  watchEffect(() => {
    // Who waits, and what one's own customers wrote: so much is there to be done.
    const count = list.sizes.waiting + list.unreadMine;
    document.title = `${count ? `(${count}) ` : ""}${t("app.title")} · ${t("app.name")}`;
  });

  watch(
    () => list.arrival,
    (session) => session && notify(session, "alerts.waitingTitle"),
  );
  watch(
    () => list.offers,
    (offers, before) => {
      const known = new Set(before.map((each) => each.session_name));
      for (const session of offers) if (!known.has(session.session_name)) notify(session, "duty.offerTitle");
    },
  );
  deskFrames.on((frame) => {
    if (frame.type === "policy.fired") {
      const policy = frame.policy[locale.value === "zh" ? "zh" : "en"];
      warn(`${policy} · ${frame.name || frame.session.slice(-4)}`, frame.session, frame.session);
    }
    if (frame.type !== "queue.reminded") return;
    const who = frame.what === "wait" ? frame.name || frame.session.slice(-4) : "";
    const message =
      frame.what === "wait"
        ? t("duty.longWait", { name: who, minutes: frame.minutes })
        : t("duty.longQueue", { count: frame.waiting });
    warn(message, frame.what === "wait" ? frame.session : null, frame.type);
  });
}

const warnings = new Map<string, MessageHandler>();

/** In place of what still stands about the same: many at once would cover the desk. */
function warn(message: string, session: string | null, about: string): void {
  tell({ title: message, session, about });
  warnings.get(about)?.close();
  warnings.set(about, ElMessage.warning({ message, duration: 10_000, showClose: true }));
}

export interface News {
  title: string;
  body?: string;
  /** Which conversation a click leads to. */
  session: string | null;
  /** News of the same one replaces what was shown; without it, that of the same conversation. */
  about?: string;
}

/** By ear, and beside the browser when nobody looks; neither in quiet hours. */
export function tell({ title, body = "", session, about = session ?? "" }: News): void {
  if (isQuiet(alerts.value.quiet, new Date())) return;
  if (alerts.value.sound) chime();
  if (!alerts.value.notifications || !document.hidden || Notification.permission !== "granted") return;
  const shown = new Notification(title, { body, tag: about });
  shown.addEventListener("click", () => {
    window.focus();
    if (session) void router.push({ name: "sessions", params: { name: session } });
    shown.close();
  });
}
