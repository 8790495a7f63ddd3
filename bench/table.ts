import { cpus, totalmem } from 'node:os';
import { medianOf, type Samples } from './samples';

/** What a row is compared with, in the words of the table's head. */
export interface Row {
  readonly name: string;
  readonly what: string;
}

const seconds = (milliseconds: number): string => `${(milliseconds / 1000).toFixed(2)} s`;

/** One row a benchmark, with how many times as long it takes as one of them, and how many blocks it read and put. */
export function markdownTable(
  rows: readonly Row[],
  measured: ReadonlyMap<string, Samples>,
  measure: { readonly name: string; readonly called: string },
): string {
  const unit = measured.get(measure.name);
  const lines = [
    `| what | median | runs | fastest to slowest | ratio to ${measure.called} | blocks read | blocks put |`,
    '|---|---|---|---|---|---|---|',
  ];
  for (const { name, what } of rows) {
    const samples = measured.get(name);
    if (samples === undefined) continue;
    const { milliseconds, counted } = samples;
    const median = medianOf(milliseconds);
    const ratio = unit === undefined ? '' : `${(median / medianOf(unit.milliseconds)).toFixed(2)}`;
    const range = `${seconds(Math.min(...milliseconds))} to ${seconds(Math.max(...milliseconds))}`;
    const cells = [
      what,
      seconds(median),
      milliseconds.length,
      range,
      ratio,
      counted.blocksRead ?? '',
      counted.blocksPut ?? '',
    ];
    lines.push(`| ${cells.join(' | ')} |`);
  }
  return lines.join('\n');
}

/** One line that says on what it was measured. */
export function machineLine(): string {
  const [first] = cpus();
  const gigabytes = Math.round(totalmem() / 1024 ** 3);
  return `${cpus().length} x ${first?.model ?? 'unknown processor'}, ${gigabytes} GB memory, Node ${process.versions.node}`;
}
