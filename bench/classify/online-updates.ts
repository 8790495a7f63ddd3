import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parseRecording } from '../../core/recording/parse-recording';
import { joinRecorder, RECORDER_MODULES } from '../../core/recording/recorder-program';
import { type RecordingSummary, summarizeRecording } from '../../core/recording/summarize-recording';
import { recordedScript } from '../../core/update/recorded-script';
import type { CommandsUpdate } from '../../core/update/update';
import { updateScript } from '../../core/update/update-script';
import { BENCH_FOLDER } from '../bench-folder';
import { type FleetImages, onMachine, script } from './fleet-images';
import type { MachinePlan } from './fleet-plan';
import type { ScratchStore } from './scratch-store';

/** What an update did on one machine when it was run there. */
export interface OnlineRun {
  readonly machine: MachinePlan;
  readonly before: string;
  readonly after: string;
  readonly recording: RecordingSummary;
  readonly output: string;
  readonly milliseconds: number;
}

/** Runs updates on machines as Run Command would, with the recorder around them. */
export class OnlineUpdates {
  private constructor(
    private readonly store: ScratchStore,
    private readonly images: FleetImages,
    private readonly recorder: string,
    private readonly runScript: string,
  ) {}

  static async prepare(store: ScratchStore, images: FleetImages): Promise<OnlineUpdates> {
    const folder = path.join(BENCH_FOLDER, '../recorder');
    const modules = RECORDER_MODULES.map(async (name) => ({
      name,
      text: await readFile(path.join(folder, `${name}.py`), 'utf8'),
    }));
    const recorder = joinRecorder(await Promise.all(modules));
    return new OnlineUpdates(store, images, recorder, await readFile(script('run_online.sh'), 'utf8'));
  }

  async run(update: CommandsUpdate, machine: MachinePlan): Promise<OnlineRun> {
    const before = this.images.imageOf(machine);
    const name = `${update.name}-${machine.instanceId}`;
    const [after, commands, output, recording] = ['img', 'sh', 'out', 'recording'].map((ending) =>
      this.store.file(`${name}.${ending}`),
    ) as [string, string, string, string];
    await this.store.copy(before, after);
    const lines = recordedScript({
      update: updateScript(update),
      recorder: this.recorder,
      name,
      uploadTo: `s3://bench/${name}`,
    });
    await writeFile(commands, lines.join('\n'));
    const began = performance.now();
    const printed = await onMachine(
      after,
      this.runScript,
      [commands, output, recording],
      this.images.repository,
    );
    const milliseconds = performance.now() - began;
    if (printed.trim() !== '0') {
      const said = await readFile(`${output}.errors`, 'utf8');
      throw new Error(
        `${update.name} ended with ${printed.trim()} on ${machine.hostName}: ${said.slice(-2000)}`,
      );
    }
    return {
      machine,
      before,
      after,
      recording: summarizeRecording(parseRecording(await readFile(recording))),
      output: await readFile(output, 'utf8'),
      milliseconds,
    };
  }

  /** The image is needed no more. */
  async forget({ after }: OnlineRun): Promise<void> {
    await rm(after);
  }
}
