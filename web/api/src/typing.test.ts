import { describe, expect, it, vi } from "vitest";
import { expiringTyping } from "./typing";

describe("a typing mark", () => {
  const ann = { type: "typing", actor: { kind: "agent", id: "a1" }, active: true } as const;

  it("ends by itself, later when it is renewed, and not twice", () => {
    vi.useFakeTimers();
    const expired = vi.fn();
    const marks = expiringTyping(expired);
    marks.seen(ann);
    vi.advanceTimersByTime(5_000);
    marks.seen(ann);
    vi.advanceTimersByTime(5_000);
    expect(expired).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1_000);
    expect(expired).toHaveBeenCalledExactlyOnceWith({ ...ann, active: false });
    marks.seen(ann);
    marks.seen({ ...ann, active: false });
    marks.seen(ann);
    marks.close();
    vi.advanceTimersByTime(10_000);
    expect(expired).toHaveBeenCalledOnce();
    vi.useRealTimers();
  });
});
