import { Choice, createClient, socket, sse } from "@kefu/api";
import { ref } from "vue";
import { languageTag } from "../app/locale";
import type { SignedIn } from "./agent";
import { TokenKeeper } from "./tokens";

const open = createClient({ locale: languageTag });

export const isSignedIn = ref(false);

export const tokens = new TokenKeeper({
  exchange: (refresh_token) => open.request<SignedIn>("/api/agent/refresh", { body: { refresh_token } }),
  onChange: (signedIn) => {
    isSignedIn.value = signedIn;
  },
  local: localStorage,
  session: sessionStorage,
  locks: navigator.locks,
});

/** `fetch` as the signed-in agent; a refused token is renewed once. */
export const signedFetch: typeof fetch = async (input, init) => {
  const access = await tokens.access();
  const response = await fetch(input, signed(init, access));
  return response.status === 401 ? fetch(input, signed(init, await tokens.renew(access))) : response;
};

function signed(init: RequestInit | undefined, access: string): RequestInit {
  const headers = new Headers(init?.headers);
  headers.set("Authorization", `Bearer ${access}`);
  return { ...init, headers };
}

const choice = new Choice();

/** For `follow`, as the signed-in agent: a WebSocket at `path` where one gets through, else server-sent events. */
export const signedLine = (path: string) => ({
  token: () => tokens.access(),
  fetch: signedFetch,
  transports: [socket(path, (refused) => tokens.renew(refused)), sse],
  choice,
});

/** Without a token: signing in. */
export const { request: requestOpen } = open;
/** With this token and no other: it is not renewed. */
export const requestAs = (access: string) => createClient({ locale: languageTag, token: () => access }).request;
export const { request, file } = createClient({ locale: languageTag, fetch: signedFetch });
