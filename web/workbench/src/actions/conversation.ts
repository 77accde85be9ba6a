import { computed } from "vue";
import { useI18n } from "vue-i18n";
import { useRoute, useRouter } from "vue-router";
import { useAccount } from "../accounts/account";
import type { Agent } from "../accounts/agent";
import { useSessionActions } from "../sessions/actions";
import { ask, focusWanted, type Question } from "../sessions/asked";
import { offerOf } from "../sessions/list";
import { usePanel } from "../sessions/panel";
import { mayAssign, mayClose, mayRelease, mayReply, mayTakeOver } from "../sessions/session";
import { useSessionList } from "../sessions/sessionList";
import { type Standing, standingOf } from "../sessions/standing";
import { useThreads } from "../sessions/threads";
import { useUndoSend } from "../sessions/undoSend";
import { useAccepting } from "../transfers/accepting";
import { type Transfer, useTransfers } from "../transfers/transfers";
import type { Action } from "./action";

/** What can be done to the conversation that is open, by its state and what the agent may. */
export function useConversationActions(): Action[] {
  return [...useServing(), ...useSides(), ...useRequests()];
}

/** The open conversation, where the agent may see it. */
function useOpen() {
  const account = useAccount();
  const threads = useThreads();
  const list = useSessionList();
  const route = useRoute();
  const standing = computed(() => {
    // It stays open beside another page, where nobody sees what would be done to it.
    const thread = route.name === "sessions" ? threads.current : undefined;
    return thread && !thread.refusal.value ? standingOf(thread, list.at(thread.name)) : undefined;
  });
  const is = (may: (standing: Standing, agent: Agent) => boolean) => () =>
    standing.value !== undefined && account.agent !== null && may(standing.value, account.agent);
  const toIt = (act: (name: string) => unknown) => () => standing.value && act(standing.value.session_name);
  return { account, threads, list, standing, is, toIt };
}

function useServing(): Action[] {
  const { standing, threads, is, toIt } = useOpen();
  const actions = useSessionActions();
  const transfers = useTransfers();
  const asks = (question: Question) => () => ask(question);
  const undo = useUndoSend();
  const isHeld = () => threads.current?.held.value !== undefined;

  return [
    { id: "takeOver", group: "conversation", words: ["conversation.takeOver"], keys: ["t"], when: is(mayTakeOver), do: toIt(actions.takeOver) },
    { id: "reply", group: "conversation", words: ["actions.reply"], keys: ["c"], when: is(mayReply), do: () => focusWanted.trigger("composer") },
    {
      id: "release",
      group: "conversation",
      words: ["actions.release"],
      keys: ["r", "mod+shift+r"],
      when: is(mayRelease),
      do: toIt(actions.release),
    },
    {
      id: "transfer",
      group: "conversation",
      words: ["transfers.transfer"],
      // A browser keeps Ctrl+Shift+T for itself, unless the desk is installed as an app.
      keys: ["f", "mod+shift+t"],
      when: () => standing.value !== undefined && transfers.mayTransfer(standing.value),
      do: asks("transfer"),
    },
    { id: "assign", group: "conversation", words: ["routing.assign"], when: is(mayAssign), do: asks("assign") },
    { id: "close", group: "conversation", words: ["closing.confirm"], keys: ["e"], when: is(mayClose), do: asks("close") },
    { id: "undo", group: "conversation", words: ["actions.takeBack"], keys: ["z", "mod+z"], when: isHeld, do: () => threads.current && undo.takeBack(threads.current) },
    { id: "sendNow", group: "conversation", words: ["undo.now"], when: isHeld, do: () => threads.current?.deliver() },
  ];
}

function useSides(): Action[] {
  const { account, standing, is, toIt } = useOpen();
  const { t } = useI18n();
  const router = useRouter();
  const panel = usePanel();
  const mayAnnotate = is(() => account.may("sessions.annotate"));
  const isOpen = is(() => true);
  const copy = async (text: string) => {
    await navigator.clipboard.writeText(text);
    ElMessage.success({ message: t("side.copied"), grouping: true });
  };
  const replay = (name: string) => router.push({ name: "replay", params: { name } });
  const address = () => new URL(location.href.split("?")[0] ?? "").href;

  return [
    { id: "note", group: "conversation", words: ["actions.note"], keys: ["n", "mod+shift+b"], when: mayAnnotate, do: () => panel.show("notes") },
    { id: "tag", group: "conversation", words: ["actions.tag"], keys: ["l"], when: mayAnnotate, do: () => panel.show("tags") },
    { id: "ask", group: "conversation", words: ["collaboration.ask"], keys: ["a"], when: mayAnnotate, do: () => ask("ask") },
    { id: "findHere", group: "conversation", words: ["conversation.find"], keys: ["s"], when: isOpen, do: () => ask("find") },
    { id: "replay", group: "conversation", words: ["conversation.replay"], when: isOpen, do: toIt(replay) },
    { id: "help", group: "conversation", words: ["side.help"], when: isOpen, do: () => panel.show("help") },
    { id: "history", group: "conversation", words: ["histories.title"], when: isOpen, do: () => panel.show("history") },
    { id: "details", group: "conversation", words: ["side.details"], keys: ["i"], when: isOpen, do: () => (panel.shown = !panel.shown) },
    { id: "copyId", group: "conversation", words: ["side.copy"], when: isOpen, do: toIt(copy) },
    { id: "copyLink", group: "conversation", words: ["actions.copyLink"], when: () => standing.value !== undefined, do: () => copy(address()) },
  ];
}

/** What waits for a word of this agent. */
function useRequests(): Action[] {
  const { account, list, standing, toIt } = useOpen();
  const actions = useSessionActions();
  const transfers = useTransfers();
  const accept = useAccepting();
  const sent = () => transfers.sent.find((one) => one.session_name === standing.value?.session_name);
  const incoming = () => transfers.received[0];
  const isOffered = () => {
    const held = list.at(standing.value?.session_name);
    return held !== undefined && offerOf(held, Date.now())?.agent.id === account.agent?.id;
  };

  const of = (find: () => Transfer | undefined, act: (one: Transfer) => unknown) => {
    const doIt = () => {
      const one = find();
      return one && act(one);
    };
    return { when: () => find() !== undefined, do: doIt };
  };

  return [
    { id: "declineOffer", group: "conversation", words: ["duty.decline"], when: isOffered, do: toIt(actions.decline) },
    {
      id: "acceptTransfer",
      group: "conversation",
      words: ["actions.request", "transfers.accept"],
      ...of(incoming, accept),
    },
    {
      id: "declineTransfer",
      group: "conversation",
      words: ["actions.request", "transfers.decline"],
      ...of(incoming, (one) => transfers.respond(one, "decline")),
    },
    { id: "cancelTransfer", group: "conversation", words: ["actions.request", "transfers.cancel"], ...of(sent, transfers.cancel) },
  ];
}
