import { createRouter, createWebHistory } from "vue-router";
import { isSignedIn, tokens } from "../accounts/client";

declare module "vue-router" {
  interface RouteMeta {
    /** May be seen without signing in. */
    open?: boolean;
  }
}

export const router = createRouter({
  history: createWebHistory("/workbench/"),
  routes: [
    { path: "/login", name: "login", meta: { open: true }, component: () => import("./LoginPage.vue") },
    {
      path: "/",
      component: () => import("./DeskLayout.vue"),
      children: [
        { path: "", redirect: { name: "sessions" } },
        { path: "sessions/:name?", name: "sessions", component: () => import("../sessions/SessionsPage.vue") },
        { path: "sessions/:name/replay", name: "replay", component: () => import("../replay/ReplayPage.vue") },
        { path: "search", name: "search", component: () => import("../search/SearchPage.vue") },
        { path: "wallboard", name: "wallboard", component: () => import("../wallboard/WallboardPage.vue") },
        { path: "funnel", name: "funnel", component: () => import("../funnel/FunnelPage.vue") },
        { path: "costs", name: "costs", component: () => import("../costs/CostsPage.vue") },
        { path: "hours", name: "hours", component: () => import("../shops/HoursPage.vue") },
        { path: "invitations", name: "invitations", component: () => import("../invitations/InvitationsPage.vue") },
        { path: "routing", name: "routing", component: () => import("../routing/RoutingPage.vue") },
        { path: "bot", name: "bot", component: () => import("../bot/BotPage.vue") },
        { path: "widget", name: "widget", component: () => import("../look/LookPage.vue") },
        { path: "security", name: "security", component: () => import("../shops/SecurityPage.vue") },
        { path: "replies", name: "replies", component: () => import("../replies/RepliesPage.vue") },
        { path: "tags", name: "tags", component: () => import("../tags/TagsPage.vue") },
        { path: "policies", name: "policies", component: () => import("../policies/PoliciesPage.vue") },
        { path: "knowledge/:id?", name: "knowledge", component: () => import("../knowledge/KnowledgePage.vue") },
        { path: "quality", name: "quality", component: () => import("../quality/QualityPage.vue") },
        { path: "audit", name: "audit", component: () => import("../audit/AuditPage.vue") },
        { path: "team", name: "team", component: () => import("../team/TeamPage.vue") },
        { path: "roles", name: "roles", component: () => import("../team/RolesPage.vue") },
        { path: ":rest(.*)*", name: "missing", component: () => import("./MissingPage.vue") },
      ],
    },
  ],
});

const opened = tokens.open();

router.beforeEach(async (to) => {
  await opened;
  if (isSignedIn.value || to.meta.open) return true;
  const next = to.fullPath === "/" ? undefined : to.fullPath;
  return { name: "login", query: { next } };
});
