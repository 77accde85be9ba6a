/**
 * Tells the server how far its reader has read: only the furthest, one request at a time. What fails is made up for by
 * the next `read`, so call it again when the line is back.
 */
export class Marker {
  private wanted = 0;
  private told = 0;
  private isTelling = false;

  constructor(private readonly tell: (seq: number) => Promise<unknown>) {}

  read(seq: number): void {
    this.wanted = Math.max(this.wanted, seq);
    void this.catchUp();
  }

  private async catchUp(): Promise<void> {
    if (this.isTelling) return;
    this.isTelling = true;
    try {
      while (this.told < this.wanted) {
        const seq = this.wanted;
        await this.tell(seq);
        this.told = seq;
      }
    } catch {
      // The mark stands where it stood; the next word moves it.
    } finally {
      this.isTelling = false;
    }
  }
}
