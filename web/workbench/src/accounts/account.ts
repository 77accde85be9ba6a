import { defineStore } from "pinia";
import { ref } from "vue";
import type { Agent, SignedIn } from "./agent";
import { request, requestOpen, tokens } from "./client";
import type { Grant } from "./tokens";

/** What a signed-out browser must not show the next one to sit down. */
const PRIVATE_KEYS = ["kefu.outbox.", "kefu.drafts", "kefu.seen"];

export const useAccount = defineStore("account", () => {
  const agent = ref<Agent | null>(null);

  async function signIn(username: string, password: string, remember: boolean): Promise<void> {
    const signedIn = await requestOpen<SignedIn>("/api/agent/login", { body: { username, password } });
    agent.value = signedIn.agent;
    tokens.keep(signedIn, remember);
  }

  async function load(): Promise<void> {
    agent.value = (await request<{ agent: Agent }>("/api/agent/profile")).agent;
  }

  async function changePassword(oldPassword: string, newPassword: string): Promise<void> {
    const body = { old_password: oldPassword, new_password: newPassword };
    tokens.replace(await request<Grant>("/api/agent/change-password", { body }));
    if (agent.value) agent.value = { ...agent.value, must_change_password: false };
  }

  /** Signs out here even when the server cannot be told; its tokens then run out by themselves. */
  async function signOut(): Promise<void> {
    const refresh_token = tokens.refreshToken;
    await request("/api/agent/logout", { body: { refresh_token }, timeoutMs: 3_000 }).catch(() => undefined);
    forgetPrivate();
    agent.value = null;
    tokens.drop();
  }

  function forgetPrivate(): void {
    for (const key of Object.keys(localStorage)) {
      if (PRIVATE_KEYS.some((prefix) => key.startsWith(prefix))) localStorage.removeItem(key);
    }
  }

  return { agent, signIn, load, changePassword, signOut };
});
