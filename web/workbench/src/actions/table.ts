import { useRoute, useRouter } from "vue-router";
import { useAccount } from "../accounts/account";
import { type Locale, i18n, setLocale } from "../app/locale";
import { alerts, allowNotifications } from "../app/alerts";
import { PLACES } from "../app/places";
import { type Theme, theme } from "../app/theme";
import { tried } from "../app/tried";
import { STATUSES, useDuty } from "../duty/duty";
import { neighbour, type Tab, TABS } from "../sessions/list";
import { focusWanted } from "../sessions/asked";
import { DENSITIES, density } from "../sessions/density";
import { usePanel } from "../sessions/panel";
import { useSelection } from "../sessions/selection";
import { useSessionList } from "../sessions/sessionList";
import { useThreads } from "../sessions/threads";
import { useUndoSend } from "../sessions/undoSend";
import type { Action } from "./action";
import { useConversationActions } from "./conversation";

/** What only the layout can show. */
export type Overlay = "palette" | "sheet" | "password" | "secondFactor";

/** Everything that can be done at the desk: the one table that palette, keys and sheet are made from. */
export function useActionTable(show: (what: Overlay) => void): readonly Action[] {
  return [
    ...useConversationActions(),
    ...useListActions(),
    ...useTabs(),
    ...usePages(),
    ...useDutyActions(),
    ...useLook(),
    ...useHelp(show),
  ];
}

function useListActions(): Action[] {
  const router = useRouter();
  const route = useRoute();
  const list = useSessionList();
  const panel = usePanel();
  const selection = useSelection();

  const isHere = () => route.name === "sessions";
  const open = (name: string | undefined) => name && router.push({ name: "sessions", params: { name } });
  const step = (by: 1 | -1) => open(neighbour(list.visible, String(route.params.name ?? "") || undefined, by)?.session_name);
  async function search() {
    if (!isHere()) await router.push({ name: "sessions" });
    await focusWanted.trigger("search");
  }
  function leave() {
    if (selection.isOn) selection.switchTo(false);
    else if (!panel.isWide) panel.shown = false;
  }

  return [
    { id: "next", group: "list", words: ["actions.next"], keys: ["j", "mod+ArrowDown"], when: isHere, do: () => step(1) },
    { id: "previous", group: "list", words: ["actions.previous"], keys: ["k", "mod+ArrowUp"], when: isHere, do: () => step(-1) },
    {
      id: "openNext",
      group: "list",
      words: ["desk.openNext"],
      keys: ["w"],
      when: () => list.waiting.length > 0,
      do: () => open(list.waiting[0]?.session_name),
    },
    { id: "find", group: "list", words: ["actions.find"], keys: ["/", "mod+shift+f"], do: search },
    {
      id: "several",
      group: "list",
      words: ["several.begin"],
      keys: ["x"],
      when: () => isHere() && selection.isAllowed,
      do: () => (route.params.name ? selection.toggle(String(route.params.name)) : selection.switchTo(!selection.isOn)),
    },
    { id: "leave", group: "list", words: ["actions.leave"], keys: ["Escape"], when: isHere, do: leave },
  ];
}

function useTabs(): Action[] {
  const router = useRouter();
  const list = useSessionList();
  async function look(tab: Tab) {
    list.tab = tab;
    await router.push({ name: "sessions", params: router.currentRoute.value.params });
  }
  return TABS.map((tab) => ({ id: `tab.${tab}`, group: "list", words: ["tabs.label", `tabs.${tab}`], do: () => look(tab) }));
}

function usePages(): Action[] {
  const router = useRouter();
  const account = useAccount();
  const pages = PLACES.map(({ route, label, needs }): Action => {
    const when = () => !needs || account.may(needs);
    return { id: `page.${route}`, group: "pages", words: [label], when, do: () => router.push({ name: route }) };
  });
  const inbox = { id: "inbox", group: "pages", words: ["collaboration.inbox"], when: () => account.may("sessions.annotate") } as const;
  return [...pages, { ...inbox, do: () => document.getElementById("team-inbox")?.showPopover() }];
}

function useDutyActions(): Action[] {
  const duty = useDuty();
  return STATUSES.map((status) => ({
    id: `duty.${status}`,
    group: "duty",
    words: ["duty.label", `duty.status.${status}`],
    when: () => duty.status !== null && duty.status.status !== status,
    do: () => tried(() => duty.choose(status, duty.status?.status_note ?? "")),
  }));
}

const LOCALES: Record<Locale, string> = { zh: "actions.chinese", en: "actions.english" };
const THEMES: Record<Theme, string> = { auto: "app.themeAuto", light: "app.themeLight", dark: "app.themeDark" };

function useLook(): Action[] {
  const undo = useUndoSend();
  const languages = Object.entries(LOCALES).map(([locale, word]): Action => {
    const when = () => i18n.global.locale.value !== locale;
    return { id: `language.${locale}`, group: "look", words: ["app.language", word], when, do: () => setLocale(locale as Locale) };
  });
  const themes = Object.entries(THEMES).map(([each, word]): Action => {
    const when = () => theme.value !== each;
    return { id: `theme.${each}`, group: "look", words: ["app.theme", word], when, do: () => (theme.value = each as Theme) };
  });
  const rows = DENSITIES.map((each): Action => {
    const when = () => density.value !== each;
    return { id: `rows.${each}`, group: "look", words: ["views.rows", `views.${each}`], when, do: () => (density.value = each) };
  });
  async function switchNotifications() {
    alerts.value.notifications = !alerts.value.notifications && (await allowNotifications());
  }
  return [
    ...languages,
    ...themes,
    ...rows,
    { id: "sound", group: "look", words: ["menu.sound"], do: () => (alerts.value.sound = !alerts.value.sound) },
    { id: "notifications", group: "look", words: ["menu.notifications"], do: switchNotifications },
    { id: "undoSend", group: "look", words: ["undo.setting"], do: () => (undo.isOn = !undo.isOn) },
  ];
}

function useHelp(show: (what: Overlay) => void): Action[] {
  const account = useAccount();
  const threads = useThreads();
  return [
    { id: "palette", group: "help", words: ["actions.palette"], keys: ["mod+k", "mod+/"], do: () => show("palette") },
    { id: "sheet", group: "help", words: ["menu.shortcuts"], keys: ["?", "mod+?"], do: () => show("sheet") },
    { id: "password", group: "help", words: ["menu.password"], do: () => show("password") },
    { id: "secondFactor", group: "help", words: ["menu.secondFactor"], do: () => show("secondFactor") },
    { id: "signOut", group: "help", words: ["menu.logout"], do: () => threads.deliver().then(() => account.signOut()) },
  ];
}
