import type { Api } from "@kefu/api";

export type Agent = Api.AgentOut;
export type SignedIn = Api.SignedInOut;
export type Permission = Agent["permissions"][number];
