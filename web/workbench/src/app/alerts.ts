import { useStorage } from "@vueuse/core";
import { watch, watchEffect } from "vue";
import { useI18n } from "vue-i18n";
import { useRouter } from "vue-router";
import { nameOf } from "../sessions/session";
import { useSessionList } from "../sessions/sessionList";
import { isQuiet } from "./quiet";

/** Off until asked for: a browser asks for leave only after a click. */
const OFF = { sound: false, notifications: false, quiet: { from: "22:00", until: "08:00" } };
export const alerts = useStorage("kefu.alerts", OFF, localStorage, { mergeDefaults: true });

/** Says whether notifications may be shown, asking the person if that is still open. */
export async function allowNotifications(): Promise<boolean> {
  if (!("Notification" in globalThis)) return false;
  return (await Notification.requestPermission()) === "granted";
}

/** Tells of customers who begin to wait: in the title, by ear, and beside the browser. */
export function useAlerts(): void {
  const { t } = useI18n();
  const list = useSessionList();
  const router = useRouter();

  watchEffect(() => {
    // Who waits, and what one's own customers wrote: so much is there to be done.
    const count = list.sizes.waiting + list.unreadMine;
    document.title = `${count ? `(${count}) ` : ""}${t("app.title")} · ${t("app.name")}`;
  });

  watch(
    () => list.arrival,
    (session) => {
      if (!session || isQuiet(alerts.value.quiet, new Date())) return;
      if (alerts.value.sound) chime();
      if (!alerts.value.notifications || !document.hidden || Notification.permission !== "granted") return;
      const name = nameOf(session, (short) => t("list.visitor", { name: short }));
      const shown = new Notification(t("alerts.waitingTitle", { name }), {
        body: session.last_message_preview?.content ?? "",
        tag: session.session_name,
      });
      shown.addEventListener("click", () => {
        window.focus();
        void router.push({ name: "sessions", params: { name: session.session_name } });
        shown.close();
      });
    },
  );
}

/** Two soft notes, made here rather than fetched. */
export function chime(): void {
  const audio = new AudioContext();
  const notes = [659.25, 880];
  for (const [index, frequency] of notes.entries()) {
    const from = audio.currentTime + index * 0.14;
    const tone = new OscillatorNode(audio, { frequency });
    const volume = new GainNode(audio, { gain: 0 });
    volume.gain.setValueAtTime(0, from);
    volume.gain.linearRampToValueAtTime(0.12, from + 0.02);
    volume.gain.exponentialRampToValueAtTime(0.001, from + 0.45);
    tone.connect(volume).connect(audio.destination);
    tone.start(from);
    tone.stop(from + 0.5);
    if (index === notes.length - 1) tone.addEventListener("ended", () => void audio.close());
  }
}
