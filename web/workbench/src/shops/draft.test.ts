import { expect, test } from "vitest";
import { addressesOf, type Draft, draftOf, hoursOf, isSound, nextSpan, type StoredHours, troubleOf } from "./draft";

const spans = (...texts: string[]) => texts.map((text) => ({ opens: text.slice(0, 5), closes: text.slice(6) }));
const draft = (over: Partial<Draft> = {}): Draft => ({
  timezone: "UTC",
  week: Array.from({ length: 7 }, () => []),
  special: [],
  mailTo: "",
  ...over,
});

test("spans that touch are fine, those that overlap are not, also over midnight", () => {
  expect(troubleOf(spans("09:00-12:00", "12:00-18:00"))).toBeUndefined();
  expect(troubleOf(spans("13:00-18:00", "09:00-13:01"))).toBe("overlap");
  expect(troubleOf(spans("22:00-02:00", "23:00-23:30"))).toBe("overlap");
  expect(troubleOf(spans("09:00-09:00"))).toBe("empty");
  expect(troubleOf([{ opens: "09:00", closes: "" }])).toBe("unfinished");
});

test("the whole day is 00:00 to 00:00 in the fields and comes back as it was", () => {
  const week = Array.from({ length: 7 }, () => spans("00:00-24:00")) as StoredHours["hours"]["week"];
  const edited = draftOf({ hours: { timezone: "UTC", week, special: {} }, mail_to: [] });
  expect(edited.week[0]).toEqual(spans("00:00-00:00"));
  expect(isSound(edited)).toBe(true);
  expect(hoursOf(edited).week[0]).toEqual(spans("00:00-24:00"));
});

test("a day listed twice, an address that is none and an unnamed day are not sound", () => {
  const day = { day: "2026-12-25", spans: [] };
  expect(isSound(draft({ special: [day] }))).toBe(true);
  expect(isSound(draft({ special: [day, day] }))).toBe(false);
  expect(isSound(draft({ special: [{ day: "", spans: [] }] }))).toBe(false);
  expect(isSound(draft({ mailTo: "a@shop.example，b" }))).toBe(false);
  expect(addressesOf(draft({ mailTo: "a@b.cn，c@d.cn; " }))).toEqual(["a@b.cn", "c@d.cn"]);
});

test("the next span follows an hour behind the last one while the day lasts", () => {
  expect(nextSpan([])).toEqual({ opens: "09:00", closes: "18:00" });
  expect(nextSpan(spans("09:00-12:00"))).toEqual({ opens: "13:00", closes: "17:00" });
  expect(nextSpan(spans("09:00-23:30"))).toEqual({ opens: "", closes: "" });
});
