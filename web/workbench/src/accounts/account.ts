import type { Api } from "@kefu/api";
import { defineStore } from "pinia";
import { ref } from "vue";
import type { Agent, Permission, SignedIn } from "./agent";
import { request, requestAs, requestOpen, tokens } from "./client";
import type { Grant } from "./tokens";

const LAST_KEY = "kefu.agent";
/** What one agent leaves here and the next one to sit down must not see. */
const PRIVATE_KEYS = ["kefu.outbox.", "kefu.drafts", "kefu.seen", "kefu.filters", "kefu.recentActions"];

export const useAccount = defineStore("account", () => {
  const agent = ref<Agent | null>(null);

  function keep(signedIn: SignedIn, remember: boolean): void {
    const before = localStorage.getItem(LAST_KEY);
    localStorage.setItem(LAST_KEY, signedIn.agent.id);
    agent.value = signedIn.agent;
    tokens.keep(signedIn, remember);
    if (before && before !== signedIn.agent.id) startClean("/workbench/");
  }

  async function signIn(username: string, password: string, remember: boolean): Promise<void> {
    keep(await requestOpen<SignedIn>("/api/agent/login", { body: { username, password } }), remember);
  }

  /** The second step, by the ticket that SECOND_FACTOR_REQUIRED brought. */
  async function signInByCode(ticket: string, code: string, remember: boolean): Promise<void> {
    keep(await requestOpen<SignedIn>("/api/agent/login/second-factor", { body: { ticket, code } }), remember);
  }

  /** By what the provider of single sign-on sent back. */
  async function signInBack(returned: Api.Returned, remember: boolean): Promise<void> {
    keep(await requestOpen<SignedIn>("/api/agent/oidc/finish", { body: returned }), remember);
  }

  async function load(): Promise<void> {
    agent.value = (await request<{ agent: Agent }>("/api/agent/profile")).agent;
  }

  async function changePassword(oldPassword: string, newPassword: string): Promise<void> {
    const body = { old_password: oldPassword, new_password: newPassword };
    await tokens.exchanged((access) => requestAs(access)<Grant>("/api/agent/change-password", { body }));
    if (agent.value) agent.value = { ...agent.value, must_change_password: false };
  }

  /** Signs out here even when the server cannot be told; its tokens then run out by themselves. */
  async function signOut(): Promise<void> {
    const refresh_token = tokens.refreshToken;
    await request("/api/agent/logout", { body: { refresh_token }, timeoutMs: 3_000 }).catch(() => undefined);
    agent.value = null;
    tokens.drop();
    startClean("/workbench/login");
  }

  const may = (permission: Permission) => agent.value?.permissions.includes(permission) ?? false;

  return { agent, may, signIn, signInByCode, signInBack, load, changePassword, signOut };
});

function startClean(path: string): void {
  for (const key of Object.keys(localStorage)) {
    if (PRIVATE_KEYS.some((prefix) => key.startsWith(prefix))) localStorage.removeItem(key);
  }
  // A new page also forgets what is in memory.
  location.assign(path);
}
