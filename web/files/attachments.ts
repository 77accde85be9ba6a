import { type ApiError, failureFromThrown, type FileRef, newClientMsgId } from "@kefu/api";

export const MOST = 5;
const AGAIN_MS = 15_000;
const PICTURES = /^image\/(png|jpeg|gif|webp)$/;

/** A file beside what is being written. `file` once the server has it, `failure` when it would not take it. */
export interface Attachment {
  key: string;
  name: string;
  size: number;
  /** Of a picture: an address to show it from. */
  preview: string;
  /** 0 to 1 */
  progress: number;
  file?: FileRef;
  failure?: ApiError;
}

/** Whether it may go better another time: what the server refused for what it is it refuses again. */
export function mayRetry({ failure }: Attachment): boolean {
  return failure !== undefined && (failure.status < 400 || failure.status === 429 || failure.status >= 500);
}

export type Send = (file: File, watch: { signal: AbortSignal; onProgress: (part: number) => void }) => Promise<FileRef>;

/**
 * What is attached to a message before it is sent. Each file is sent up at once and only once: the message, and every
 * repeat of it, names what is there already. What the line was cut under goes up again by itself, at once when the
 * browser knows that it is back.
 */
export class Attachments {
  private readonly sources = new Map<string, { source: File; cut: AbortController }>();
  private list: readonly Attachment[] = [];
  private readonly timer = setInterval(() => this.again(), AGAIN_MS);

  constructor(
    private readonly send: Send,
    private readonly onChange: (list: readonly Attachment[]) => void,
  ) {
    window.addEventListener("online", this.again);
  }

  /** How many were too many. */
  add(files: Iterable<File>): number {
    const all = Array.from(files);
    const taken = all.slice(0, Math.max(0, MOST - this.list.length));
    for (const source of taken) {
      const key = newClientMsgId();
      const preview = PICTURES.test(source.type) ? URL.createObjectURL(source) : "";
      this.sources.set(key, { source, cut: new AbortController() });
      this.show([...this.list, { key, name: source.name, size: source.size, preview, progress: 0 }]);
      void this.up(key);
    }
    return all.length - taken.length;
  }

  /** What is with the server already, from elsewhere. */
  adopt(files: readonly FileRef[]): void {
    const known = new Set(this.list.map((one) => one.file?.id));
    const others = files.filter(({ id }) => !known.has(id));
    if (others.length === 0) return;
    this.show([...this.list, ...others.map((file) => ({ key: file.id, name: file.name, size: file.size, preview: "", progress: 1, file }))]);
  }

  retry(key: string): void {
    this.change(key, { progress: 0, failure: undefined });
    void this.up(key);
  }

  remove(key: string): void {
    const gone = this.list.find((one) => one.key === key);
    if (gone?.preview) URL.revokeObjectURL(gone.preview);
    this.sources.get(key)?.cut.abort();
    this.sources.delete(key);
    this.show(this.list.filter((one) => one.key !== key));
  }

  clear(): void {
    for (const { key } of this.list) this.remove(key);
  }

  close(): void {
    clearInterval(this.timer);
    window.removeEventListener("online", this.again);
    this.clear();
  }

  private async up(key: string): Promise<void> {
    const held = this.sources.get(key);
    if (!held) return;
    try {
      const onProgress = (progress: number): void => this.change(key, { progress });
      const file = await this.send(held.source, { signal: held.cut.signal, onProgress });
      this.change(key, { file, progress: 1 });
    } catch (thrown) {
      this.change(key, { failure: failureFromThrown(thrown) });
    }
  }

  private readonly again = (): void => {
    for (const { key, failure } of this.list) if (failure?.status === 0) this.retry(key);
  };

  private change(key: string, now: { [Name in keyof Attachment]?: Attachment[Name] | undefined }): void {
    this.show(this.list.map((one) => (one.key === key ? ({ ...one, ...now } as Attachment) : one)));
  }

  private show(list: readonly Attachment[]): void {
    this.list = list;
    this.onChange(list);
  }
}
