import { readFileSync } from 'node:fs';
import path from 'node:path';
import { joinRecorder, RECORDER_MODULES } from '../../core/recording/recorder-program';

const FOLDER = path.join(__dirname, '..', '..', 'recorder');

/** What lambdas/runtime/recorder.ts bundles. */
export const RECORDER = joinRecorder(
  RECORDER_MODULES.map((name) => ({ name, text: readFileSync(path.join(FOLDER, `${name}.py`), 'utf8') })),
);
