const KEPT_BYTES = 16 * 1024;
const SHOWN_LINES = 25;
const SHOWN_CHARACTERS = 3000;

/** The last that the emulated machine's kernel printed. What it prints may come from a hostile image. */
export class ConsoleTail {
  private kept = Buffer.alloc(0);

  add(bytes: Uint8Array): void {
    this.kept = Buffer.concat([this.kept, bytes]).subarray(-KEPT_BYTES);
  }

  /** Without anything that a terminal would take for a command. */
  toString(): string {
    return (
      this.kept
        .toString('latin1')
        .replaceAll(/\x1b\[[0-9;?]*[ -/]*[@-~]/g, '')
        .replaceAll(/[^\n\x20-\x7e]/g, '')
        // What the kernel was at when it panicked says nothing to a reader; what stands before does.
        .replaceAll(/^.*\] CPU: \d+ [^]*?<\/TASK>\n/gm, '')
        .trim()
        .split('\n')
        .slice(-SHOWN_LINES)
        .join('\n')
        .slice(-SHOWN_CHARACTERS)
    );
  }
}
