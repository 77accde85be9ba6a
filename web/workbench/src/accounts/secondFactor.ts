import type { Api } from "@kefu/api";
import { request } from "./client";

const ask = <T>(path: string, body?: unknown) => request<T>(`/api/agent/second-factor${path}`, { body });

export const secondFactor = async () => (await ask<Api.SecondFactorData>("")).data;
export const setUp = async (password: string) => (await ask<Api.SetupData>("/setup", { password })).data;
/** Answers the recovery codes, this once; as does `renew`. */
export const confirm = async (code: string) => (await ask<Api.RecoveryCodesData>("/confirm", { code })).data.recovery_codes;
export const renew = async (proof: Api.PasswordAndCode) =>
  (await ask<Api.RecoveryCodesData>("/recovery-codes", proof)).data.recovery_codes;
export const turnOff = (proof: Api.PasswordAndCode) => ask<Api.Done>("/off", proof);
