import { readFile, rename, writeFile } from 'node:fs/promises';

/** Reads a JSON file; undefined when there is none. */
export async function readJson<T>(file: string): Promise<T | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as T;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

let sequence = 0;

/** Writes a JSON file in one step: a reader, or a restart, sees the old content or the new one. */
export async function writeJsonAtomically(file: string, value: unknown): Promise<void> {
  const temporary = `${file}.${process.pid}.${(sequence += 1)}.tmp`;
  await writeFile(temporary, JSON.stringify(value));
  await rename(temporary, file);
}

/**
 * A JSON file that follows a value in memory. Any number of `changed()` calls while a write is under way cost one more
 * write; `flush()` resolves when what was changed so far is on disk.
 */
export class JsonDocument {
  private dirty = false;
  private writing: Promise<void> | undefined;
  private failure: unknown;

  constructor(
    private readonly file: string,
    private readonly content: () => unknown,
  ) {}

  changed(): void {
    this.dirty = true;
    this.writing ??= this.write();
  }

  /** @throws whatever kept an earlier write from the disk. */
  async flush(): Promise<void> {
    await this.writing;
    if (this.failure !== undefined) throw this.failure;
  }

  private async write(): Promise<void> {
    // Changes made in one go are written once.
    await Promise.resolve();
    try {
      while (this.dirty) {
        this.dirty = false;
        await writeJsonAtomically(this.file, this.content());
      }
      this.failure = undefined;
    } catch (error) {
      this.failure = error;
    }
    this.writing = undefined;
  }
}
