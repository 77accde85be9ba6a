// @vitest-environment happy-dom
import { ApiError } from "@kefu/api";
import { beforeEach, expect, test, vi } from "vitest";
import { type Grant, TokenKeeper } from "./tokens";

/** Enough of the Web Locks API: one holder per name, others wait in turn or leave. */
function fakeLocks(): LockManager {
  const tails = new Map<string, Promise<unknown>>();
  async function request(name: string, ...rest: unknown[]): Promise<unknown> {
    const work = rest.at(-1) as (lock: unknown) => unknown;
    const options = (rest.length > 1 ? rest[0] : {}) as LockOptions;
    const before = tails.get(name);
    if (options.ifAvailable && before) return work(null);
    const turn = (before ?? Promise.resolve()).then(() => work({ name }));
    const tail: Promise<unknown> = turn
      .catch(() => undefined)
      .then(() => {
        if (tails.get(name) === tail) tails.delete(name);
      });
    tails.set(name, tail);
    return turn;
  }
  return { request } as unknown as LockManager;
}

/** A server that rotates: each refresh token works once. */
function rotatingServer() {
  let generation = 1;
  const used: string[] = [];
  const grant = (): Grant => ({ token: `a${generation}`, refresh_token: `r${generation}`, expires_in: 900 });
  const exchange = vi.fn(async (refresh: string) => {
    await new Promise((resolve) => setTimeout(resolve, 1));
    if (refresh !== `r${generation}`) throw new ApiError(401, "TOKEN_INVALID", "reused");
    used.push(refresh);
    generation += 1;
    return grant();
  });
  return { exchange, grant, used };
}

let server: ReturnType<typeof rotatingServer>;
let locks: LockManager;

beforeEach(() => {
  localStorage.clear();
  sessionStorage.clear();
  server = rotatingServer();
  locks = fakeLocks();
});

async function openTab(session: Storage = sessionStorage, local: Storage = localStorage) {
  const onChange = vi.fn();
  const keeper = new TokenKeeper({ exchange: server.exchange, onChange, local, session, locks });
  await keeper.open();
  return { keeper, onChange };
}

test("a token that still lives is used as it is", async () => {
  const { keeper } = await openTab();
  keeper.keep(server.grant(), true);
  expect(await keeper.access()).toBe("a1");
  expect(server.exchange).not.toHaveBeenCalled();
});

test("a token about to expire is renewed before it is used", async () => {
  const { keeper } = await openTab();
  keeper.keep({ ...server.grant(), expires_in: 20 }, true);
  expect(await keeper.access()).toBe("a2");
});

test("requests refused at the same time share one renewal", async () => {
  const { keeper } = await openTab();
  keeper.keep(server.grant(), true);
  expect(await Promise.all([keeper.renew("a1"), keeper.renew("a1"), keeper.renew("a1")])).toEqual(["a2", "a2", "a2"]);
  expect(server.used).toEqual(["r1"]);
});

test("two tabs refused at the same time use the refresh token once", async () => {
  const first = await openTab();
  first.keeper.keep(server.grant(), true);
  const second = await openTab();
  expect(await Promise.all([first.keeper.renew("a1"), second.keeper.renew("a1")])).toEqual(["a2", "a2"]);
  expect(server.used).toEqual(["r1"]);
});

test("a tab to which the browser shows the other's renewal late ends nobody's sign-in", async () => {
  const first = await openTab();
  first.keeper.keep(server.grant(), true);
  const old = localStorage.getItem("kefu.tokens");
  const late = { ...sessionStorage, getItem: vi.fn(() => old) } as unknown as Storage;
  const second = await openTab(sessionStorage, late);
  expect(await first.keeper.renew("a1")).toBe("a2");
  // A moment after its first use the server answers the same again.
  server.exchange.mockImplementationOnce(async () => {
    late.getItem = (key) => localStorage.getItem(key);
    return { ...server.grant(), token: "another a2" };
  });
  expect(await second.keeper.renew("a1")).toBe("a2");
  expect(second.onChange).not.toHaveBeenLastCalledWith(false);
  expect(await first.keeper.access()).toBe("a2");
});

test("a reload takes up the tokens of this tab", async () => {
  const left = { access: "a1", refresh: "r1", expiresAt: Date.now() + 900_000 };
  sessionStorage.setItem("kefu.tokens", JSON.stringify(left));
  const { keeper, onChange } = await openTab();
  expect(onChange).toHaveBeenCalledWith(true);
  expect(await keeper.access()).toBe("a1");
});

test("a duplicated tab does not use the tokens it was copied with", async () => {
  const { keeper } = await openTab();
  keeper.keep(server.grant(), false);
  const { onChange } = await openTab(sessionStorage);
  expect(onChange).toHaveBeenLastCalledWith(false);
});

test("a refused renewal signs out", async () => {
  const { keeper, onChange } = await openTab();
  keeper.keep({ ...server.grant(), refresh_token: "stolen" }, true);
  await expect(keeper.renew("a1")).rejects.toThrow(ApiError);
  expect(onChange).toHaveBeenLastCalledWith(false);
  expect(localStorage.getItem("kefu.tokens")).toBeNull();
});

test("a renewal lost on the way keeps the tokens for the next try", async () => {
  const { keeper, onChange } = await openTab();
  keeper.keep(server.grant(), true);
  server.exchange.mockRejectedValueOnce(new ApiError(0, "NETWORK", ""));
  await expect(keeper.renew("a1")).rejects.toThrow(ApiError);
  expect(onChange).not.toHaveBeenLastCalledWith(false);
  expect(await keeper.renew("a1")).toBe("a2");
});

test("a tab that is refused while the password changes waits for the new tokens", async () => {
  const first = await openTab();
  first.keeper.keep(server.grant(), true);
  const second = await openTab();
  let answer: ((grant: Grant) => void) | undefined;
  const changing = first.keeper.exchanged((access) => {
    expect(access).toBe("a1");
    return new Promise((resolve) => (answer = resolve));
  });
  await vi.waitFor(() => expect(answer).toBeDefined());
  const renewal = second.keeper.renew("a1");
  answer?.({ token: "b1", refresh_token: "s1", expires_in: 900 });
  await changing;
  expect(await renewal).toBe("b1");
  expect(server.exchange).not.toHaveBeenCalled();
});

test("signing out during a renewal stays signed out", async () => {
  const { keeper, onChange } = await openTab();
  keeper.keep(server.grant(), true);
  const renewal = keeper.renew("a1");
  await Promise.resolve();
  keeper.drop();
  await expect(renewal).rejects.toThrow(ApiError);
  expect(onChange).toHaveBeenLastCalledWith(false);
});

test("another tab signing out signs out here", async () => {
  const { keeper, onChange } = await openTab();
  keeper.keep(server.grant(), true);
  localStorage.removeItem("kefu.tokens");
  globalThis.dispatchEvent(new StorageEvent("storage", { key: "kefu.tokens", storageArea: localStorage }));
  expect(onChange).toHaveBeenLastCalledWith(false);
});
