import { ApiError, type FileRef } from "@kefu/api";
import { beforeEach, expect, it, vi } from "vitest";
import { type Attachment, Attachments, mayRetry, MOST } from "../../files/attachments";

const tick = () => new Promise((resolve) => setTimeout(resolve));
const picture = (name: string) => new File(["x"], name, { type: "image/png" });
const stored = (name: string): FileRef => ({ id: `file_${name}`, name, media_type: "image/png", size: 1 });

let list: readonly Attachment[] = [];
const sent: string[] = [];
let answer: (file: File) => Promise<FileRef>;

function attach(): Attachments {
  return new Attachments(
    (file) => {
      sent.push(file.name);
      return answer(file);
    },
    (now) => (list = now),
  );
}

beforeEach(() => {
  list = [];
  sent.length = 0;
  answer = (file) => Promise.resolve(stored(file.name));
  URL.createObjectURL = vi.fn(() => "blob:x");
  URL.revokeObjectURL = vi.fn();
});

it("sends each file up at once and takes no more than a message may have", async () => {
  const attachments = attach();
  expect(attachments.add([1, 2, 3].map((n) => picture(`${n}.png`)))).toBe(0);
  expect(attachments.add([4, 5, 6, 7].map((n) => picture(`${n}.png`)))).toBe(2);
  await tick();
  expect(list.map(({ file }) => file?.id)).toEqual([1, 2, 3, 4, 5].map((n) => `file_${n}.png`));
  expect(list).toHaveLength(MOST);
});

it("sends up again by itself what the line was cut under, and nothing that was refused", async () => {
  const attachments = attach();
  const codes = [new ApiError(0, "NETWORK", ""), new ApiError(415, "FILE_TYPE_NOT_ALLOWED", "no")];
  answer = () => Promise.reject(codes[sent.length - 1] ?? new Error("again"));
  attachments.add([picture("cut.png"), picture("refused.png")]);
  await tick();
  expect(list.map(({ failure }) => failure?.status)).toEqual([0, 415]);
  answer = (file) => Promise.resolve(stored(file.name));
  window.dispatchEvent(new Event("online"));
  await tick();
  expect(sent).toEqual(["cut.png", "refused.png", "cut.png"]);
  expect(list.map(({ file }) => file?.name)).toEqual(["cut.png", undefined]);
  attachments.close();
  expect(list).toEqual([]);
});

it("offers another try only of what may go better, and tries what the line was cut under without being asked", async () => {
  vi.useFakeTimers();
  const codes = [new ApiError(0, "NETWORK", ""), new ApiError(413, "FILE_TOO_LARGE", "no"), new ApiError(429, "RATE_LIMITED", "wait"), new ApiError(503, "FILE_NOT_STORED", "full")];
  answer = () => Promise.reject(codes[sent.length - 1] ?? codes[0]);
  const attachments = attach();
  attachments.add(["cut.png", "large.png", "often.png", "full.png"].map(picture));
  await vi.advanceTimersByTimeAsync(0);
  expect(list.map(mayRetry)).toEqual([true, false, true, true]);
  await vi.advanceTimersByTimeAsync(15_000);
  expect(sent.slice(4)).toEqual(["cut.png"]);
  answer = (file) => Promise.resolve(stored(file.name));
  await vi.advanceTimersByTimeAsync(15_000);
  expect(list[0]).toMatchObject({ file: { name: "cut.png" } });
  expect(list.map(mayRetry)).toEqual([false, false, true, true]);
  attachments.close();
  vi.useRealTimers();
});

it("takes back what the server has already, once, and sends nothing up for it", async () => {
  const attachments = attach();
  attachments.add([picture("new.png")]);
  await tick();
  attachments.adopt([stored("sent.png"), stored("new.png")]);
  attachments.adopt([stored("sent.png")]);
  expect(list.map(({ file }) => file?.name)).toEqual(["new.png", "sent.png"]);
  expect(sent).toEqual(["new.png"]);
});

it("cuts the upload of what is removed and lets go of its picture", async () => {
  const attachments = new Attachments(
    (_file, { signal }) => new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(new ApiError(0, "CANCELLED", "")))),
    (now) => (list = now),
  );
  attachments.add([picture("a.png")]);
  attachments.remove(list[0]?.key ?? "");
  await tick();
  expect(list).toEqual([]);
  expect(URL.revokeObjectURL).toHaveBeenCalledWith("blob:x");
});
