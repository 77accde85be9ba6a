import type { Api } from "@kefu/api";
import { useEventListener, useIntervalFn } from "@vueuse/core";
import { defineStore } from "pinia";
import { ref } from "vue";
import { request } from "../accounts/client";
import { deskFrames } from "../sessions/deskFrames";

export const STATUSES = ["online", "busy", "break", "lunch", "training", "offline"] as const;
export type Status = (typeof STATUSES)[number];

/** Without a sign of life for 45 s the server gives this agent nobody. */
const BEAT_MS = 15_000;
type Answer = { data: Api.AgentStatus };

/** What the agent at this desk does, as the server has it, and the signs of life it is kept by. */
export const useDuty = defineStore("duty", () => {
  const status = ref<Api.AgentStatus | null>(null);
  let hasActed = true;

  async function load(): Promise<void> {
    status.value = (await request<Answer>("/api/agent/status")).data;
  }

  /** Throws what the server refuses. */
  async function choose(chosen: Status, note: string): Promise<void> {
    const body = { status: chosen, status_note: note };
    status.value = (await request<Answer>("/api/agent/status", { method: "PUT", body })).data;
  }

  async function beat(): Promise<void> {
    const body = { active: hasActed };
    hasActed = false;
    // The next one comes soon; and an open stream is a sign of life as well.
    await request("/api/agent/status/heartbeat", { method: "POST", body }).catch(() => undefined);
  }

  function acted(): void {
    hasActed = true;
    if (status.value?.is_auto) void beat();
  }

  const beats = useIntervalFn(() => void beat(), BEAT_MS, { immediate: false });
  useEventListener(["pointerdown", "keydown"], acted, { passive: true });

  function start(): void {
    void beat().then(load).catch(() => undefined);
    beats.resume();
  }

  function stop(): void {
    beats.pause();
    status.value = null;
  }

  // What is told may come late, after something newer: the server knows best.
  deskFrames.on((frame) => {
    if (frame.type === "agent.status" && status.value) void load().catch(() => undefined);
  });

  return { status, load, choose, start, stop };
});
