import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { StoredEvent } from '../history-event';
import { readJson, writeJson } from './json-file';
import { summaryOf, type ExecutionRecord, type ExecutionSummary } from './execution-record';

/**
 * Executions on disk: `<folder>/<state machine>/<name>/execution.json` and `history.jsonl` beside it. Only summaries stay
 * in memory, so that a run may have any number of children.
 */
export class ExecutionStore {
  private readonly summaries = new Map<string, ExecutionSummary>();

  constructor(private readonly folder: string) {
    mkdirSync(folder, { recursive: true });
    const found = readdirSync(folder).flatMap((machine) =>
      readdirSync(path.join(folder, machine)).map((name) =>
        readJson<ExecutionRecord>(path.join(folder, machine, name, 'execution.json')),
      ),
    );
    const known = found.filter((record) => record !== undefined);
    for (const record of known.sort((a, b) => a.startDate - b.startDate))
      this.summaries.set(record.executionArn, summaryOf(record));
  }

  /** Oldest first. */
  list(): ExecutionSummary[] {
    return [...this.summaries.values()];
  }

  save(record: ExecutionRecord): void {
    const folder = this.folderOf(record.executionArn);
    mkdirSync(folder, { recursive: true });
    writeJson(path.join(folder, 'execution.json'), record);
    this.summaries.set(record.executionArn, summaryOf(record));
  }

  read(executionArn: string): ExecutionRecord | undefined {
    if (!this.summaries.has(executionArn)) return undefined;
    return readJson<ExecutionRecord>(path.join(this.folderOf(executionArn), 'execution.json'));
  }

  append(executionArn: string, events: readonly StoredEvent[]): void {
    const lines = events.map((event) => `${JSON.stringify(event)}\n`).join('');
    appendFileSync(path.join(this.folderOf(executionArn), 'history.jsonl'), lines);
  }

  events(executionArn: string): StoredEvent[] {
    const file = path.join(this.folderOf(executionArn), 'history.jsonl');
    if (!existsSync(file)) return [];
    return readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as StoredEvent);
  }

  private folderOf(executionArn: string): string {
    const [machine = '', ...name] = executionArn.split(':').slice(6);
    return path.join(this.folder, fileName(machine), fileName(name.join(':')));
  }
}

/** A file name that no other text has; `.` and `..` are no file names. */
const fileName = (text: string): string => encodeURIComponent(text).replace(/^\.+$/, (dots) => `%${dots}`);
