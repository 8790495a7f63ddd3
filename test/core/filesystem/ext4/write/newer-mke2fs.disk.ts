import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { DirectEngine } from '../../../../../core/apply/direct-engine';
import { comparableEntries } from '../../../../support/comparable-entries';
import { performByEngine, type Outcome } from '../../../../support/filesystem-operations';
import { KernelTwin } from '../../../../support/kernel-twin';
import { e2fsck, ImageFolder, makeImage } from '../../../../support/mounted-image';
import { newerMke2fsConfig, newerTool } from '../../../../support/newer-tools';
import { randomOperations } from '../../../../support/random-operations';
import { changeImage } from '../../../../support/writable-image';

jest.setTimeout(120_000);
const run = promisify(execFile);

const OPERATIONS = 300;

/** By e2fsprogs of Debian 13. @returns what it complained about */
async function newerE2fsck(file: string): Promise<string> {
  const [command, ...args] = await newerTool('e2fsck');
  return run(command, [...args, '-fn', file]).then(
    () => '',
    (error: { stdout: string }) => error.stdout,
  );
}

it.each([
  ['by default', []],
  [
    'with inline data, values in inodes and large directories',
    ['-O', 'inline_data,ea_inode,large_dir', '-I', '512'],
  ],
])(
  'what is written to a volume made by Debian 13 %s is what its checker and the kernel expect',
  async (_what, options) => {
    await using folder = await ImageFolder.make();
    const [ours, theirs] = [folder.image('ours'), folder.image('theirs')];
    const [command, ...args] = await newerTool('mke2fs');
    const env = { ...process.env, MKE2FS_CONFIG: await newerMke2fsConfig() };
    for (const file of [ours, theirs]) {
      await makeImage(file, 96, ['true']);
      await run(command, [...args, '-q', '-F', '-t', 'ext4', '-b', '4096', ...options, file], { env });
    }
    const operations = randomOperations(13, OPERATIONS, { longAttributes: options.length > 0 });
    const outcomes: Outcome[] = [];
    await changeImage(ours, async (writer) => {
      const mounts = [{ mountPoint: '/', kind: 'ext4', filesystem: writer, writer }];
      for (const operation of operations) {
        outcomes.push(await performByEngine(new DirectEngine(), mounts, operation));
      }
    });
    expect([await e2fsck(ours), await newerE2fsck(ours)]).toEqual(['', '']);
    await using twin = KernelTwin.mount(theirs);
    expect(outcomes).toEqual(await twin.perform(operations));
    expect(comparableEntries(await twin.list(ours), { directoryTimes: false })).toEqual(
      comparableEntries(await twin.list(), { directoryTimes: false }),
    );
  },
);
