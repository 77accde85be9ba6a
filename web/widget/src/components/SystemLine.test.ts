import { emptyConversation, fold, type LogEvent } from "@kefu/api";
import { mount } from "@vue/test-utils";
import { afterEach, expect, it } from "vitest";
import { type LineRow, rows } from "../rows";
import { locale } from "../words";
import SystemLine from "./SystemLine.vue";

function closed(reason: string): string {
  const move = { from: "bot_active", to: "closed", epoch: 1, reason } as const;
  const event: LogEvent = { type: "session.closed", seq: 2, at: "2025-06-01T12:00:00Z", actor: { kind: "system" }, ...move };
  const row = rows(fold(emptyConversation(), event)).at(-1) as LineRow;
  return mount(SystemLine, { props: { row } }).text();
}

function transferred(): string {
  const move = { from: "manual_live", to: "manual_live", epoch: 2, agent: { id: "b", name: "Bo" } } as const;
  const event: LogEvent = { type: "session.transferred", seq: 2, at: "2025-06-01T12:00:00Z", actor: { kind: "agent" }, ...move };
  return mount(SystemLine, { props: { row: rows(fold(emptyConversation(), event)).at(-1) as LineRow } }).text();
}

afterEach(() => void (locale.value = "en"));

it("says why a conversation ended by itself, in both languages", () => {
  expect(closed("idle")).toBe("The conversation has ended after a long silence. You can write again at any time.");
  expect(closed("resolved")).toBe("The conversation has ended. You can write again at any time.");
  locale.value = "zh";
  expect(closed("idle")).toContain("长时间没有新消息");
  expect(closed("resolved")).not.toContain("长时间");
});

it("says who serves after a transfer, and not why", () => {
  expect(transferred()).toBe("You are now talking to Bo.");
  locale.value = "zh";
  expect(transferred()).toBe("已为您转接，现在由 Bo 为您服务。");
});

it("says where the answer to what was left will go", () => {
  const move = { from: "bot_active", to: "after_hours_email", epoch: 0, reason: "manual", email: "anna@example.com" } as const;
  const at = "2025-06-01T12:00:00Z";
  const left: LogEvent = { type: "session.deferred", seq: 2, at, actor: { kind: "visitor" }, ...move };
  const told: LogEvent = { type: "mail.sent", seq: 3, at, actor: { kind: "system" }, purpose: "team", to: "desk@shop.example" };
  const state = [left, told].reduce(fold, emptyConversation());
  expect(state.status).toBe("after_hours_email");
  const lines = rows(state).filter((row) => row.kind === "line") as LineRow[];
  expect(lines).toHaveLength(1);
  expect(mount(SystemLine, { props: { row: lines[0] as LineRow } }).text()).toContain("anna@example.com");
});
