import { gzipSync } from 'node:zlib';
import { recordingKey } from '../../core/workflow/keys';
import type { TestServices } from './aws-services';
import type { SentCommand } from './fake-run-command';

const READ = 2;
const CHANGED = 8;

/** What the recorder of a machine would put into the bucket: every path was the update's own doing. */
export async function putRecording(
  services: TestServices,
  { instanceId, comment }: SentCommand,
  did: { readonly read: readonly string[]; readonly changed: readonly string[] },
): Promise<void> {
  const [, run, classId] = /^imageelves (\S+) (\S+): update$/.exec(comment) ?? [];
  const started = '2026-11-20T06:00:00Z';
  const lines = [
    { recording: 1, part: 1, method: 'fanotify', kernel: '6.12', boot: 'b', started, limits: {} },
    ...did.read.map((path) => [path, READ, 0, 0]),
    ...did.changed.map((path) => [path, CHANGED, 0, 0]),
    { end: true, exit: 0, ended: started, events: 9, overflows: 0, unresolved: 0 },
  ];
  const bytes = gzipSync(lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  await services.documents.writeText(recordingKey(run!, classId!, instanceId), bytes, 'application/gzip');
}
