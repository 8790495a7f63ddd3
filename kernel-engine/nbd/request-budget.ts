/** Bytes that may be held by requests at the same time. Who asks for more waits, first come first served. */
export class RequestBudget {
  private used = 0;
  private readonly waiting: { readonly bytes: number; readonly admit: () => void }[] = [];

  constructor(private readonly totalBytes: number) {}

  /** A request larger than the whole budget is admitted alone. @returns what gives the bytes back */
  async acquire(wantedBytes: number): Promise<() => void> {
    const bytes = Math.min(wantedBytes, this.totalBytes);
    if (this.waiting.length > 0 || this.used + bytes > this.totalBytes) {
      await new Promise<void>((admit) => this.waiting.push({ bytes, admit }));
    } else {
      this.used += bytes;
    }
    return () => this.release(bytes);
  }

  private release(bytes: number): void {
    this.used -= bytes;
    for (;;) {
      const next = this.waiting[0];
      if (next === undefined || this.used + next.bytes > this.totalBytes) return;
      this.waiting.shift();
      this.used += next.bytes;
      next.admit();
    }
  }
}
