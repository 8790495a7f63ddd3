import { randomTwinContract } from './random-twin-contract';

/** One seed goes all the way: what grows and shrinks over thousands of operations. A file of its own, for a worker of its own. */
randomTwinContract([{ seed: 131, count: 10_000, checkEvery: 250 }]);
