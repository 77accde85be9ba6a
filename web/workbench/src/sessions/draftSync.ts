/** `revision`: of the last save that was begun here or seen of another device. */
export interface DraftState {
  revision: number;
  phase: "saved" | "saving" | "unsaved" | "failed";
}

export interface KeptDraft {
  content: string;
  revision: number;
}

export interface DraftPlace {
  text: (name: string) => string;
  setText: (name: string, text: string) => void;
  state: (name: string) => DraftState | undefined;
  setState: (name: string, state: DraftState) => void;
  load: (name: string) => Promise<KeptDraft>;
  /** `isLast`: the page may be gone before the answer. */
  save: (name: string, draft: KeptDraft, isLast: boolean) => Promise<KeptDraft & { is_ours: boolean }>;
}

const PAUSE_MS = 800;
const RETRY_MS = 5_000;
/** As the server counts: longer ones stay here. */
const MOST = 5_000;

/**
 * Brings drafts to the server a moment after they changed. Each save has the next revision; who finds a later one
 * there was overtaken by another device. What was typed here and never saved goes before that, what was saved gives way.
 */
export class DraftSync {
  private readonly timers = new Map<string, ReturnType<typeof setTimeout>>();

  constructor(private readonly place: DraftPlace) {}

  /**
   * What stands on the server, unless something here waits to be saved or somebody is about to write on. A failure is
   * no loss: the draft is here.
   */
  async open(name: string, isWriting: () => boolean = () => false): Promise<void> {
    const theirs = await this.place.load(name).catch(() => null);
    const ours = this.place.state(name);
    if (!theirs || (isWriting() && ours?.phase === "saved")) return;
    const isWaiting = ours ? ours.phase !== "saved" : this.place.text(name) !== "";
    const revision = Math.max(theirs.revision, ours?.revision ?? 0);
    if (!isWaiting && theirs.revision > (ours?.revision ?? 0)) this.place.setText(name, theirs.content);
    this.place.setState(name, { revision, phase: isWaiting ? "unsaved" : "saved" });
    if (isWaiting) await this.flush(name);
  }

  changed(name: string): void {
    this.place.setState(name, { revision: this.revision(name), phase: "unsaved" });
    this.later(name, PAUSE_MS);
  }

  /** Save now what waits; called also when the page is left. */
  async flush(name: string): Promise<void> {
    this.stop(name);
    const content = this.place.text(name);
    const phase = this.place.state(name)?.phase;
    if ((phase !== "unsaved" && phase !== "failed") || [...content].length > MOST) return;
    const revision = this.revision(name) + 1;
    this.place.setState(name, { revision, phase: "saving" });
    try {
      this.settle(name, content, await this.place.save(name, { content, revision }, document.visibilityState === "hidden"));
    } catch {
      if (this.place.state(name)?.phase !== "saving") return;
      this.place.setState(name, { revision, phase: "failed" });
      this.later(name, RETRY_MS);
    }
  }

  /** The draft is being sent: it is empty here, and this revision of it will be on the server. */
  use(name: string): number {
    this.stop(name);
    const revision = this.revision(name) + 1;
    this.place.setText(name, "");
    this.place.setState(name, { revision, phase: "saved" });
    return revision;
  }

  private settle(name: string, content: string, stands: KeptDraft & { is_ours: boolean }): void {
    const revision = Math.max(stands.revision, this.revision(name));
    // Used or typed on while the answer was on its way.
    if (this.place.state(name)?.phase !== "saving" || this.place.text(name) !== content) {
      const phase = this.place.state(name)?.phase ?? "saved";
      this.place.setState(name, { revision, phase });
      return;
    }
    this.place.setState(name, { revision, phase: stands.is_ours ? "saved" : "unsaved" });
    if (!stands.is_ours) this.later(name, 0);
  }

  private revision(name: string): number {
    return this.place.state(name)?.revision ?? 0;
  }

  private later(name: string, ms: number): void {
    this.stop(name);
    this.timers.set(name, setTimeout(() => void this.flush(name), ms));
  }

  private stop(name: string): void {
    clearTimeout(this.timers.get(name));
    this.timers.delete(name);
  }
}
