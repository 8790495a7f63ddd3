import { ImageElvesError } from '../../core/errors';
import type { Patch } from './mutable-image';
import { Random } from './random';
import type { Changes, Outcome, PreparedTarget, Target } from './target';

const MOST_EDITS = 6;
/** What texts of tables and settings are made of. */
const BITS = [
  '\n',
  ' ',
  ':',
  '=',
  '"',
  '{',
  '}',
  '[',
  ']',
  ',',
  '#',
  '\\',
  '/',
  '\0',
  '\t',
  '\xff',
  '-1',
  '0',
  '99999999999999999999',
  '../',
  '%',
];

/** Bytes that a parser takes, changed as texts are: pieces doubled, moved, cut and replaced. */
export function parserTarget(
  name: string,
  samples: () => Promise<readonly Uint8Array[]>,
  parse: (bytes: Uint8Array) => void,
): Target {
  return {
    name: `parse ${name}`,
    async prepare(): Promise<PreparedTarget> {
      const all = await samples();
      let bytes = all[0]!;
      return {
        mutate(seed) {
          bytes = edited(all, new Random(seed));
        },
        changes: () => ({ [name]: [{ offset: 0, bytes }] }),
        apply(changes: Changes) {
          bytes = (changes[name]?.[0] as Patch).bytes;
        },
        async execute(): Promise<Outcome> {
          try {
            parse(bytes);
            return 'answered';
          } catch (error) {
            if (error instanceof ImageElvesError) return 'refused';
            throw error;
          }
        },
        restore() {
          bytes = all[0]!;
        },
      };
    },
  };
}

function edited(samples: readonly Uint8Array[], random: Random): Uint8Array {
  let bytes = Buffer.from(random.oneOf(samples));
  for (let count = 1 + random.below(MOST_EDITS); count > 0; count--) {
    const at = random.below(bytes.length + 1);
    const length = random.below(random.oneOf([2, 8, 64]));
    const [before, after] = [bytes.subarray(0, at), bytes.subarray(at)];
    switch (random.below(6)) {
      case 0:
        bytes = Buffer.concat([before, Buffer.from(random.oneOf(BITS), 'latin1'), after]);
        break;
      case 1:
        bytes = Buffer.concat([before, after.subarray(length)]);
        break;
      case 2:
        bytes = Buffer.concat([
          before,
          bytes.subarray(random.below(bytes.length + 1)).subarray(0, length),
          after,
        ]);
        break;
      case 3:
        bytes = Buffer.concat([before, after.subarray(0, length), after]);
        break;
      case 4:
        bytes = Buffer.from(bytes);
        if (at < bytes.length) bytes[at] = random.below(256);
        break;
      default:
        if (random.onceIn(4)) bytes = Buffer.from(before);
        else bytes = Buffer.concat([before, Buffer.from(random.oneOf(BITS), 'latin1'), after.subarray(1)]);
    }
  }
  return bytes;
}
