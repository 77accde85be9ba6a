/** Local times of the day, `22:00`; the hours may run over midnight. An empty or equal one: never quiet. */
export interface QuietHours {
  from: string;
  until: string;
}

/** Whether sounds and notifications are to stay away. */
export function isQuiet({ from, until }: QuietHours, now: Date): boolean {
  if (!from || !until || from === until) return false;
  const part = (value: number) => String(value).padStart(2, "0");
  const time = `${part(now.getHours())}:${part(now.getMinutes())}`;
  return from < until ? from <= time && time < until : from <= time || time < until;
}
