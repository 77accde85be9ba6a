import type { Api } from "@kefu/api";

/** As the fields have it: an emptied number is "". */
export interface Draft {
  id: string;
  text: { en: string; zh: string };
  seconds: number | "";
  url: string;
  cart: number | "";
  is_on: boolean;
}

export type Stored = Api.InvitationsOut;

export const MOST = 20;

export function blank(): Draft {
  return { id: "", text: { en: "", zh: "" }, seconds: 30, url: "", cart: "", is_on: true };
}

export function draftOf({ invitations }: Stored): Draft[] {
  return invitations.map(({ id = "", text, seconds = 30, url = "", cart, is_on = true }) => ({
    id,
    text: { en: text.en ?? "", zh: text.zh ?? "" },
    seconds,
    url,
    cart: cart ?? "",
    is_on,
  }));
}

/** As the server has it. */
export function isSound({ text, seconds, url, cart }: Draft): boolean {
  const isSaid = Boolean(text.en.trim() || text.zh.trim());
  return isSaid && Number.isInteger(seconds) && Number(seconds) >= 0 && Number(seconds) <= 3600 && !/\s/.test(url) && Number(cart) >= 0;
}

export function sent(drafts: readonly Draft[]): object[] {
  return drafts.map((one) => ({ ...one, cart: one.cart === "" ? null : one.cart }));
}
