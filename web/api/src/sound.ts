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

/** Two soft notes, made here rather than fetched. */
export function chime(): void {
  const audio = new AudioContext();
  const notes = [659.25, 880];
  for (const [index, frequency] of notes.entries()) {
    const from = audio.currentTime + index * 0.14;
    const tone = new OscillatorNode(audio, { frequency });
    const volume = new GainNode(audio, { gain: 0 });
    volume.gain.setValueAtTime(0, from);
    volume.gain.linearRampToValueAtTime(0.12, from + 0.02);
    volume.gain.exponentialRampToValueAtTime(0.001, from + 0.45);
    tone.connect(volume).connect(audio.destination);
    tone.start(from);
    tone.stop(from + 0.5);
    if (index === notes.length - 1) tone.addEventListener("ended", () => void audio.close());
  }
}
