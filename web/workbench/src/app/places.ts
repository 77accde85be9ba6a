import {
  Aim,
  ChatDotRound,
  ChatLineRound,
  ChatSquare,
  Clock,
  Coin,
  Collection,
  Cpu,
  DataLine,
  Document,
  Filter,
  Key,
  Lock,
  Odometer,
  PriceTag,
  Reading,
  Search,
  SetUp,
  User,
} from "@element-plus/icons-vue";
import type { Component } from "vue";
import type { Permission } from "../accounts/agent";

/** A page of the rail. `needs`: the permission without which it is not shown. */
export interface Place {
  route: string;
  label: string;
  icon: Component;
  needs?: Permission;
}

export const PLACES: readonly Place[] = [
  { route: "sessions", label: "menu.conversations", icon: ChatLineRound },
  { route: "search", label: "menu.search", icon: Search, needs: "sessions.read" },
  { route: "wallboard", label: "menu.wallboard", icon: DataLine, needs: "stats.read" },
  { route: "funnel", label: "menu.funnel", icon: Filter, needs: "stats.read" },
  { route: "costs", label: "menu.costs", icon: Coin, needs: "stats.read" },
  { route: "hours", label: "menu.hours", icon: Clock, needs: "shops.read" },
  { route: "invitations", label: "invitations.title", icon: ChatDotRound, needs: "shops.read" },
  { route: "routing", label: "routing.title", icon: SetUp, needs: "shops.read" },
  { route: "bot", label: "menu.bot", icon: Cpu, needs: "bot.read" },
  { route: "widget", label: "menu.widget", icon: ChatSquare, needs: "shops.write" },
  { route: "security", label: "menu.security", icon: Lock, needs: "shops.write" },
  { route: "replies", label: "replies.title", icon: Collection, needs: "sessions.reply" },
  { route: "tags", label: "tags.title", icon: PriceTag, needs: "tags.write" },
  { route: "policies", label: "menu.policies", icon: Aim, needs: "policies.read" },
  { route: "knowledge", label: "menu.knowledge", icon: Reading, needs: "knowledge.read" },
  { route: "quality", label: "menu.quality", icon: Odometer, needs: "quality.read" },
  { route: "audit", label: "menu.audit", icon: Document, needs: "audit.read" },
  { route: "team", label: "menu.team", icon: User, needs: "agents.read" },
  { route: "roles", label: "menu.agentRoles", icon: Key, needs: "roles.write" },
];
