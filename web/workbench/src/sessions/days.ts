/** The day of this machine's calendar, as an `<input type="date">` takes it. */
export function dayIn(at: Date): string {
  const two = (part: number) => String(part).padStart(2, "0");
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
}
