import { VOLUME_MATRIX } from '../support/volume-matrix';
import { randomTwinContract } from './random-twin-contract';

/**
 * Each volume once, and two seeds that are new every day. More, or one that failed:
 *
 *     TWIN_SEEDS=17 TWIN_OPERATIONS=10000 npx jest test/contract/random-twin.disk.ts --selectProjects disk
 *
 * TWIN_SEEDS may be a list (`3,17`) or a range (`0-13`).
 */
const DAY = Math.floor(Date.now() / 86_400_000);
const SEEDS = process.env['TWIN_SEEDS'] ?? `0-${Object.keys(VOLUME_MATRIX).length - 1},${DAY},${DAY + 5}`;
const OPERATIONS = Number(process.env['TWIN_OPERATIONS'] ?? 200);

function parseSeeds(text: string): number[] {
  return text.split(',').flatMap((part) => {
    const [first, last = first] = part.split('-').map(Number) as [number, number?];
    return Array.from({ length: last - first + 1 }, (_, n) => first + n);
  });
}

randomTwinContract(parseSeeds(SEEDS).map((seed) => ({ seed, count: OPERATIONS, checkEvery: 100 })));
