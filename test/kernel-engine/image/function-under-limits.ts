import {
  accessSync,
  constants,
  existsSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import type { ResolvedOperation } from '../../../core/apply/apply-engine';
import { OverlayBlockDevice } from '../../../core/block-device/overlay-block-device';
import { EmulatedKernel } from '../../../kernel-engine';
import { FileBlockDevice } from '../../support/file-block-device';

/** What the function found around it, and what it did. */
export interface Findings {
  readonly uid: number;
  readonly capabilities: string;
  readonly writable: readonly string[];
  readonly devices: readonly string[];
  readonly hasQemuOfHost: boolean;
  /** What the bundles of the real functions export. */
  readonly bundles: Readonly<Record<string, readonly string[]>>;
  readonly operations: number;
  readonly verified: readonly string[];
  readonly contentBytes: number;
  /** Blocks to be put, in base64 by index: all that leaves the function. */
  readonly blocks: Readonly<Record<string, string>>;
  readonly leftInTmp: readonly string[];
}

const load = createRequire('/var/task/') as (file: string) => object;
const FUNCTIONS = '/var/task/functions';
export const BIG_FILE_BYTES = 16 * 1024 * 1024;

/** Stands in for a step: it gives a real XFS an update, by the kernel engine, within the limits of a Lambda function. */
export async function handler(): Promise<Findings> {
  const kernel = await EmulatedKernel.open({
    directory: process.env['KERNEL_ENGINE_DIRECTORY'] ?? '',
    timeoutMs: 120_000,
  });
  await using file = await FileBlockDevice.open('/image/xfs.raw');
  const device = new OverlayBlockDevice(file);
  const disk = { mountPoint: '/', kind: 'xfs', device };
  const { operations, contentBytes } = await kernel.perform([disk], update());
  const verified = await kernel.verify([disk]);
  const blocks: Record<string, string> = {};
  for await (const { index, bytes } of device.changedBlocks()) {
    blocks[index] = Buffer.from(bytes).toString('base64');
  }
  return {
    uid: process.getuid?.() ?? -1,
    capabilities: /^CapEff:\s*(\S+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '',
    writable: ['/', '/tmp', '/var/task', '/opt/kernel-engine'].filter(isWritable),
    devices: readdirSync('/dev').sort(),
    bundles: Object.fromEntries(
      readdirSync(FUNCTIONS).map((name) => [name, Object.keys(load(`${FUNCTIONS}/${name}/index.js`))]),
    ),
    hasQemuOfHost: existsSync('/usr/bin/qemu-system-x86_64'),
    operations,
    verified,
    contentBytes,
    blocks,
    leftInTmp: readdirSync('/tmp'),
  };
}

async function* update(): AsyncGenerator<ResolvedOperation> {
  const metadata = {
    mode: 0o640,
    uid: 12,
    gid: 34,
    mtimeNs: 1_700_000_000_123_456_789n,
    xattrs: new Map([['security.selinux', Buffer.from('system_u:object_r:bin_t:s0\0')]]),
  };
  yield { kind: 'put-file', path: '/etc/new', content: Buffer.from('new\n'), metadata };
  yield { kind: 'put-file', path: '/big', content: bigContent(), metadata };
  yield { kind: 'make-symlink', path: '/etc/link', target: 'new', metadata: { ...metadata, mode: 0o777 } };
  yield { kind: 'remove', path: '/etc/old' };
}

/** What no compression and no hole makes less. */
export function bigContent(): Buffer {
  const content = Buffer.alloc(BIG_FILE_BYTES);
  let state = 1;
  for (let offset = 0; offset < BIG_FILE_BYTES; offset += 4) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    content.writeUInt32LE(state, offset);
  }
  return content;
}

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return statSync(folder).isDirectory();
  } catch {
    return false;
  }
}

/** The answer goes to standard output. */
if (require.main === module) {
  handler().then(
    (findings) => writeFileSync(1, JSON.stringify(findings)),
    (error: unknown) => {
      process.stderr.write(`${String((error as Error).stack)}\n`);
      process.exitCode = 1;
    },
  );
}
