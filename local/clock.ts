import { setTimeout as sleepFor } from 'node:timers/promises';

/** The time of the embedded cloud. Whatever takes time there asks this and nothing else. */
export interface Clock {
  now(): Date;
  /** Resolves when `milliseconds` of this clock have passed; rejects with the signal's reason when it is aborted. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
}

/** The machine's clock, run `speed` times as fast from the moment it is made: at 20 a wait of 15 s takes 0.75 s. */
export class RealClock implements Clock {
  private readonly speed: number;
  private readonly startedAt = Date.now();

  constructor({ speed = 1 }: { speed?: number } = {}) {
    if (!(speed > 0)) throw new RangeError(`The speed of a clock is more than 0, not ${speed}.`);
    this.speed = speed;
  }

  now(): Date {
    return new Date(this.startedAt + (Date.now() - this.startedAt) * this.speed);
  }

  async sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
    await sleepFor(milliseconds / this.speed, undefined, { signal });
  }
}

/** A clock that a test moves by hand. */
export class ManualClock implements Clock {
  private sleepers: { at: number; wake: () => void }[] = [];

  constructor(private time = new Date('2026-01-01T00:00:00Z').getTime()) {}

  now(): Date {
    return new Date(this.time);
  }

  sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
    if (milliseconds <= 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const sleeper = { at: this.time + milliseconds, wake: resolve };
      this.sleepers.push(sleeper);
      signal?.addEventListener(
        'abort',
        () => {
          this.sleepers = this.sleepers.filter((other) => other !== sleeper);
          reject(signal.reason as Error);
        },
        { once: true },
      );
    });
  }

  /** Moves the time on and wakes, in order, who waited for it; what they start may wait again within the same step. */
  async advance(milliseconds: number): Promise<void> {
    const end = this.time + milliseconds;
    for (;;) {
      const next = this.sleepers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (!next) break;
      this.sleepers = this.sleepers.filter((other) => other !== next);
      this.time = next.at;
      next.wake();
      await settle();
    }
    this.time = end;
    await settle();
  }
}

/** Lets what was woken run up to its next wait. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
