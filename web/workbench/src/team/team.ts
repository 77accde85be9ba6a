import { type Api, type ApiError, failureFromThrown } from "@kefu/api";
import { defineStore } from "pinia";
import { computed, shallowRef } from "vue";
import { useI18n } from "vue-i18n";
import { request } from "../accounts/client";

export type Member = Api.MemberOut;
export type Role = Api.RoleOut;
export type Permission = Role["permissions"][number];

export interface Wanted {
  q: string;
  role: string;
  /** Disabled ones too. */
  all: boolean;
}

const PAGE = 50;

/** The team and its roles, as they were when last asked for. */
export const useTeam = defineStore("team", () => {
  const members = shallowRef<readonly Member[]>([]);
  const total = shallowRef(0);
  const roles = shallowRef<readonly Role[]>([]);
  const permissions = shallowRef<readonly Permission[]>([]);
  const failure = shallowRef<ApiError>();
  const isLoaded = shallowRef(false);

  /** As many as are shown, or a page more. Only the answer to the last question counts. */
  let asked = 0;
  async function load(wanted: Wanted, more = false): Promise<void> {
    const turn = (asked += 1);
    const size = Math.min(100, Math.max(PAGE, members.value.length + (more ? PAGE : 0)));
    const query = new URLSearchParams({ page_size: String(size) });
    if (wanted.q.trim()) query.set("q", wanted.q.trim());
    if (wanted.role) query.set("role", wanted.role);
    if (!wanted.all) query.set("is_active", "true");
    try {
      const { data } = await request<Api.MemberListData>(`/api/agents?${query}`);
      if (turn !== asked) return;
      [members.value, total.value, failure.value, isLoaded.value] = [data.items, data.total, undefined, true];
    } catch (thrown) {
      if (turn === asked) failure.value = failureFromThrown(thrown);
    }
  }

  async function loadRoles(): Promise<void> {
    try {
      const { data } = await request<Api.RoleListData>("/api/roles");
      [roles.value, permissions.value, failure.value] = [data.roles, data.permissions, undefined];
    } catch (thrown) {
      failure.value = failureFromThrown(thrown);
    }
  }

  return { members, total, roles, permissions, failure, isLoaded, load, loadRoles };
});

/** Each answers with the one-time password that was made, if one was. */
export const hire = (body: Partial<Api.NewMember>) => request<Api.MemberWithPassword>("/api/agents", { body });
export const reset = (id: string) => request<Api.MemberWithPassword>(`/api/agents/${id}/reset-password`, { body: {} });
export const change = (id: string, body: Api.MemberChange) => request(`/api/agents/${id}`, { method: "PATCH", body });

export async function saveRole(role: Role | undefined, { name, permissions }: Api.NewRole): Promise<void> {
  // A built-in role keeps its name.
  const changed = role?.is_builtin ? { permissions } : { name, permissions };
  if (role) await request(`/api/roles/${role.id}`, { method: "PATCH", body: { version: role.version, ...changed } });
  else await request("/api/roles", { body: { name, permissions } });
}

export const removeRole = (role: Role) => request(`/api/roles/${role.id}`, { method: "DELETE" });

/** What roles and permissions are called in the chosen language. */
export function useNames() {
  const { t, te, locale } = useI18n();
  const team = useTeam();
  const byId = computed(() => new Map(team.roles.map((role) => [role.id, role])));
  const roleName = (id: string) => byId.value.get(id)?.name[locale.value === "zh" ? "zh" : "en"] ?? id;
  const permissionName = (id: string) => (te(`team.permissions.${id}`) ? t(`team.permissions.${id}`) : id);
  const groupName = (id: string) => (te(`team.groups.${id}`) ? t(`team.groups.${id}`) : id);
  return { roleName, permissionName, groupName };
}

/** Permissions by what stands before their dot, in the order they came. */
export function grouped(permissions: readonly Permission[]): readonly (readonly [string, Permission[]])[] {
  const groups = new Map<string, Permission[]>();
  for (const one of permissions) {
    const [group = one] = one.split(".");
    groups.set(group, [...(groups.get(group) ?? []), one]);
  }
  return [...groups];
}
