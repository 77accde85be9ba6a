import { beforeEach, expect, test, vi } from "vitest";
import { type DraftState, DraftSync, type KeptDraft } from "./draftSync";

/** As the server does: the higher revision stands. */
class Server {
  draft: KeptDraft = { content: "", revision: 0 };
  isDown = false;

  load = () => (this.isDown ? Promise.reject(new Error("down")) : Promise.resolve(this.draft));
  save = (_: string, draft: KeptDraft) => {
    if (this.isDown) return Promise.reject(new Error("down"));
    const is_ours = draft.revision > this.draft.revision;
    if (is_ours) this.draft = draft;
    return Promise.resolve({ ...this.draft, is_ours });
  };
}

function device(server: Server) {
  const here = { text: "", state: undefined as DraftState | undefined };
  const sync = new DraftSync({
    text: () => here.text,
    setText: (_, text) => (here.text = text),
    state: () => here.state,
    setState: (_, state) => (here.state = state),
    load: server.load,
    save: server.save,
  });
  const types = (text: string) => {
    here.text = text;
    sync.changed("s");
  };
  return { here, sync, types };
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("document", { visibilityState: "visible" });
});

test("a draft is saved a moment after the last key, and is there on another device", async () => {
  const server = new Server();
  const desk = device(server);
  desk.types("Hel");
  desk.types("Hello");
  expect(desk.here.state?.phase).toBe("unsaved");
  await vi.advanceTimersByTimeAsync(1_000);
  expect(server.draft).toEqual({ content: "Hello", revision: 1 });
  expect(desk.here.state?.phase).toBe("saved");
  const phone = device(server);
  await phone.sync.open("s");
  expect(phone.here.text).toBe("Hello");
});

test("what was written without a line is saved when it is back", async () => {
  const server = new Server();
  const desk = device(server);
  server.isDown = true;
  desk.types("Hello");
  await vi.advanceTimersByTimeAsync(2_000);
  expect(desk.here.state?.phase).toBe("failed");
  server.isDown = false;
  await vi.advanceTimersByTimeAsync(6_000);
  expect(server.draft.content).toBe("Hello");
});

test("of two devices what is typed now goes before what the other saved", async () => {
  const server = new Server();
  const [desk, phone] = [device(server), device(server)];
  phone.types("from the phone");
  await vi.advanceTimersByTimeAsync(1_000);
  desk.types("from the desk");
  await vi.advanceTimersByTimeAsync(1_000);
  expect(server.draft).toEqual({ content: "from the desk", revision: 2 });
  expect(desk.here.text).toBe("from the desk");
  await phone.sync.open("s");
  expect(phone.here.text).toBe("from the desk");
});

test("what is sent has a revision that no save before it can pass", async () => {
  const server = new Server();
  const desk = device(server);
  desk.types("Hello");
  const saving = desk.sync.flush("s");
  const used = desk.sync.use("s");
  await saving;
  expect(used).toBeGreaterThan(server.draft.revision - 1);
  expect(desk.here).toEqual({ text: "", state: { revision: used, phase: "saved" } });
  desk.types("Next");
  await vi.advanceTimersByTimeAsync(1_000);
  expect(server.draft).toEqual({ content: "Next", revision: used + 1 });
});

test("what an older version of this page kept is saved, not thrown away", async () => {
  const server = new Server();
  server.draft = { content: "elsewhere", revision: 4 };
  const desk = device(server);
  desk.here.text = "kept here before";
  await desk.sync.open("s");
  expect(server.draft).toEqual({ content: "kept here before", revision: 5 });
});

test("nothing is changed under the hands of who writes; what comes next goes before the other device's", async () => {
  const server = new Server();
  const [desk, phone] = [device(server), device(server)];
  desk.types("from the desk");
  await vi.advanceTimersByTimeAsync(1_000);
  await phone.sync.open("s");
  phone.types("from the phone");
  await vi.advanceTimersByTimeAsync(1_000);
  await desk.sync.open("s", () => true);
  expect(desk.here.text).toBe("from the desk");
  desk.types("from the desk, again");
  await vi.advanceTimersByTimeAsync(1_000);
  expect(server.draft.content).toBe("from the desk, again");
  await phone.sync.open("s", () => false);
  expect(phone.here.text).toBe("from the desk, again");
});
