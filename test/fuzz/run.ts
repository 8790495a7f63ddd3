import { fork, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { WorkerMessage } from './worker';

/**
 * `npm run fuzz -- --seconds 60 [--workers 2] [--target 'read ext4'] [--seed 1000] [--judge]`: executes seeds until the
 * time is over and prints what it found. Each worker is a process of its own, so that one without an end, or without
 * bounds, is a find too.
 */
const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    workers: { type: 'string', default: String(availableParallelism()) },
    target: { type: 'string' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000_000) },
    judge: { type: 'boolean', default: false },
  },
});

/** Of the processor's time: no execution takes so long, a worker's start included. */
const HANG_SECONDS = 30;
const TICKS_A_SECOND = 100;
/** The corpus and the code take some hundred; a worker that needs more was made to by a hostile length. */
const MOST_MEMORY_BYTES = 2 * 1024 ** 3;
const PAGE_BYTES = 4096;
const PROGRESS_MS = 60_000;

interface Seat {
  readonly index: number;
  readonly status: string;
  child: ChildProcess;
  last: string;
  /** Time of the processor when the execution that is under way began. */
  since: number;
}

const counts = new Map<string, { answered: number; refused: number; finds: number }>();
const folder = mkdtempSync(join(tmpdir(), 'fuzz-'));
const end = Date.now() + Number(values.seconds) * 1000;
let nextSeed = Number(values.seed);
let finds = 0;

function report(target: string, seed: number, what: string): void {
  finds += 1;
  process.stdout.write(`FIND ${target} --seed ${seed}: ${what}\n`);
}

function start(seat: Seat): void {
  const seconds = Math.max(0, (end - Date.now()) / 1000);
  const args = [
    seat.status,
    String(seconds),
    String(nextSeed),
    values.judge ? 'judge' : '',
    values.target ?? '',
  ];
  // Seeds of the workers, and of one that takes the place of another, do not meet.
  nextSeed += 100_000_000;
  seat.since = 0;
  seat.last = '';
  seat.child = fork(join(__dirname, 'worker.ts'), args, {
    execArgv: [...process.execArgv, '--max-old-space-size=1024'],
  });
  seat.child.on('message', (message: WorkerMessage) => {
    if ('find' in message) report(message.target, message.seed, message.find);
    const known = counts.get(message.target) ?? { answered: 0, refused: 0, finds: 0 };
    counts.set(message.target, known);
    if ('find' in message) known.finds += 1;
    else {
      known.answered += message.answered;
      known.refused += message.refused;
    }
  });
}

/** What the worker does now: `target seed`. It writes it before each execution. */
function statusOf({ status }: Seat): string {
  try {
    return readFileSync(status, 'utf8').split('\n', 1)[0] ?? '';
  } catch {
    return '';
  }
}

/** Fields utime and stime of proc(5); the name before them may hold blanks, and ends with a parenthesis. */
function secondsOf(child: ChildProcess): number {
  try {
    const fields = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
    return (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND;
  } catch {
    return 0;
  }
}

function memoryOf(child: ChildProcess): number {
  try {
    return Number(readFileSync(`/proc/${child.pid}/statm`, 'utf8').split(' ')[1]) * PAGE_BYTES;
  } catch {
    return 0;
  }
}

function reportEnd(seat: Seat, what: string): void {
  const [, target, seed] = /^(.*) (\d+)$/.exec(statusOf(seat)) ?? [undefined, 'unknown', '0'];
  report(target!, Number(seed), what);
}

/** @returns false when the worker is done */
function watch(seat: Seat): boolean {
  const { child } = seat;
  if (child.exitCode !== null || child.signalCode !== null) {
    if (child.exitCode === 0) return false;
    reportEnd(seat, `the process ended with ${child.exitCode ?? child.signalCode}`);
    if (Date.now() < end) start(seat);
    return Date.now() < end;
  }
  const status = statusOf(seat);
  if (status !== seat.last) {
    seat.last = status;
    seat.since = secondsOf(child);
  }
  const memory = memoryOf(child);
  const isStuck = secondsOf(child) - seat.since > HANG_SECONDS;
  if (isStuck || memory > MOST_MEMORY_BYTES) {
    reportEnd(seat, isStuck ? `no end after ${HANG_SECONDS} s` : `${memory} bytes of memory`);
    child.removeAllListeners('message');
    child.kill('SIGKILL');
    start(seat);
  }
  return true;
}

const seats = Array.from({ length: Number(values.workers) }, (_, index): Seat => {
  const seat = { index, status: join(folder, `worker-${index}`), last: '', since: 0 } as Seat;
  start(seat);
  return seat;
});

const progress = setInterval(() => {
  const total = [...counts.values()].reduce((sum, one) => sum + one.answered + one.refused + one.finds, 0);
  process.stdout.write(`${total} executions, ${finds} finds so far\n`);
}, PROGRESS_MS);

const timer = setInterval(() => {
  if (seats.map((seat) => watch(seat)).some(Boolean)) return;
  clearInterval(timer);
  clearInterval(progress);
  rmSync(folder, { recursive: true });
  let total = 0;
  for (const [target, { answered, refused, finds }] of [...counts].sort()) {
    total += answered + refused + finds;
    process.stdout.write(`${target}: ${answered} answered, ${refused} refused, ${finds} finds\n`);
  }
  process.stdout.write(`${total} executions, ${finds} finds\n`);
  process.exitCode = finds === 0 ? 0 : 1;
}, 250);
