import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import Sequencer from '@jest/test-sequencer';

/**
 * Begun first where nothing is known of earlier runs, in this order: what takes longest on two processors, so that no
 * worker is idle at the end. Of the e2e tests, those that need the same Debian stand apart: one builds it for both.
 */
const LONGEST = [
  'e2e/main-job.e2e.ts',
  'local/instances/machines.e2e.ts',
  'aws/recorded-update.e2e.ts',
  'e2e/interruption.e2e.ts',

  'core/apply/debian-update.disk.ts',
  'contract/random-twin-long.disk.ts',
  'core/records/record-files.disk.ts',
  'contract/random-twin.disk.ts',
  'contract/aged-xfs.disk.ts',
  'recorder/record-update.disk.ts',
  'kernel-engine/failures.disk.ts',
  'bench/classify.disk.ts',
  'contract/reader-xfs.disk.ts',
  'core/filesystem/xfs/version-4.disk.ts',
  'contract/reader-ext4.disk.ts',
  'aws/patch-faults.disk.ts',
  'contract/aged-ext4.disk.ts',
  'kernel-engine/image/image.disk.ts',

  'cdk/image-elves.test.ts',
  'cdk/apps.test.ts',
  'aws/sweep-runs.test.ts',
  'aws/swap-volume.test.ts',
  'local/aws-behaviour.test.ts',
  'fuzz/fuzz.test.ts',
  'cdk/nag.test.ts',
];

const TESTS = fileURLToPath(new URL('../..', import.meta.url));

export default class LongestFirst extends Sequencer {
  constructor(options) {
    super(options);
    const gone = LONGEST.filter((file) => !existsSync(path.join(TESTS, file)));
    if (gone.length > 0) throw new Error(`Not there, but to be begun first: ${gone.join(', ')}`);
  }

  sort(tests) {
    const place = ({ path: file, duration }) => {
      const index = duration === undefined ? LONGEST.indexOf(path.relative(TESTS, file)) : -1;
      return index < 0 ? LONGEST.length : index;
    };
    return super.sort(tests).sort((a, b) => place(a) - place(b));
  }
}
