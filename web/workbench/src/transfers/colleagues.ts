import { type Api, type ApiError, failureFromThrown } from "@kefu/api";
import { defineStore } from "pinia";
import { computed, ref, shallowRef } from "vue";
import { useAccount } from "../accounts/account";
import { request } from "../accounts/client";

export type Colleague = Api.ColleagueOut;

/** The others of the team, as they were when last asked for. */
export const useColleagues = defineStore("colleagues", () => {
  const account = useAccount();
  const team = ref<Colleague[]>([]);
  const failure = shallowRef<ApiError>();
  const isLoaded = ref(false);

  async function load(): Promise<void> {
    try {
      const query = { everybody: true };
      team.value = (await request<{ data: Api.AvailableAgents }>("/api/agents/available", { query })).data.items;
      failure.value = undefined;
      isLoaded.value = true;
    } catch (thrown) {
      failure.value = failureFromThrown(thrown);
    }
  }

  const others = computed(() => team.value.filter(({ id }) => id !== account.agent?.id));
  return { team, others, failure, isLoaded, load };
});

/** Whoever fits the words, those who can be chosen first. */
export function found(team: readonly Colleague[], words: string, can: (one: Colleague) => boolean): Colleague[] {
  const wanted = words.trim().toLocaleLowerCase();
  const fits = ({ name, username, skills }: Colleague) =>
    [name, username, ...skills].some((text) => text.toLocaleLowerCase().includes(wanted));
  return team.filter(fits).toSorted((a, b) => Number(can(b)) - Number(can(a)) || b.room - a.room);
}
