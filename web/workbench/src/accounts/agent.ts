import type { Grant } from "./tokens";

export type RoleName = "super_admin" | "supervisor" | "agent" | "inspector";

export interface Agent {
  id: string;
  username: string;
  name: string;
  role: RoleName;
  status: string;
  max_sessions: number;
  must_change_password: boolean;
  permissions: string[];
  created_at: number | string;
  last_login: number | string | null;
}

export interface SignedIn extends Grant {
  agent: Agent;
}
