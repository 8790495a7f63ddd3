import { readFile } from 'node:fs/promises';
import { openFilesystem } from '../core/filesystem/open-filesystem';
import { BlockWindow } from '../core/block-device/block-window';
import { FileBlockDevice } from '../test/support/file-block-device';

/** What a process of its own prints of one scan, so that its memory is that of the scan. */
export interface ScanFigures {
  readonly entries: number;
  readonly milliseconds: number;
  readonly peakMemoryMiB: number;
}

/** proc(5): of this program alone. What getrusage(2) says goes back to the process that started it. */
async function peakMemoryMiB(): Promise<number> {
  const status = await readFile('/proc/self/status', 'utf8');
  return Number(/^VmHWM:\s*(\d+) kB$/m.exec(status)?.[1]) / 1024;
}

/** Scans one filesystem from opening it to the last entry. Arguments: kind, image, where it starts in it. */
async function main([kind, file, offset]: readonly string[]): Promise<void> {
  await using volume = await FileBlockDevice.open(file!);
  const started = performance.now();
  const device = new BlockWindow(volume, Number(offset), volume.sizeBytes - Number(offset));
  const filesystem = await openFilesystem(kind!, device);
  let entries = 0;
  for await (const { path } of filesystem.scan()) if (path !== '') entries += 1;
  const figures: ScanFigures = {
    entries,
    milliseconds: performance.now() - started,
    peakMemoryMiB: await peakMemoryMiB(),
  };
  console.log(JSON.stringify(figures));
}

main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
