import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ResolvedOperation } from '../../core/apply/apply-engine';
import { MemoryBlockDevice } from '../../core/block-device/memory-block-device';
import { EmulatedKernel } from '../../kernel-engine';

/**
 * An image may take over the kernel that mounts it, and with it every answer. In these tests the emulator is a program
 * that opens the port and answers what it was told to.
 */
const FAKE_QEMU = (script: string): string => `#!${process.execPath}
const { connect } = require('node:net');
const { createInterface } = require('node:readline');
if (process.argv.includes('--version')) {
  console.log('fake');
  process.exit(0);
}
const port = connect(process.argv.find((text) => text.startsWith('socket,id=port')).split('path=')[1]);
const say = (message) => port.write(JSON.stringify(message) + '\\n');
const endless = (bytes) => port.write(bytes, () => endless(bytes));
port.on('error', () => process.exit(1));
port.on('close', () => process.exit(1));
say({ ready: 'fake' });
createInterface(port).on('line', (line) => {
  const request = JSON.parse(line);
  if (request.do === 'begin' || request.do === 'mount') return say({ did: request.do });
  ${script}
});
`;

const STAT = [0, 2, 'directory', 0o755, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0];

describe('a guest that was taken over', () => {
  let directory: string;
  const device = new MemoryBlockDevice(1024 * 1024);

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'hostile-guest-'));
    await mkdir(join(directory, 'guest'));
    await writeFile(join(directory, 'guest/vmlinux'), '');
    await writeFile(join(directory, 'guest/initramfs'), '');
    await writeFile(join(directory, 'guest/build.json'), '{}');
    await mkdir(join(directory, 'temporary'));
  });
  afterEach(async () => {
    // Nothing of a machine is left behind.
    expect(await readdir(join(directory, 'temporary'))).toEqual([]);
    await rm(directory, { recursive: true });
  });

  async function kernelThat(script: string, timeoutMs = 10_000): Promise<EmulatedKernel> {
    const qemu = join(directory, 'qemu');
    await writeFile(qemu, FAKE_QEMU(script));
    await chmod(qemu, 0o755);
    return EmulatedKernel.open({ directory, qemu, timeoutMs, temporaryFolder: join(directory, 'temporary') });
  }

  async function failureOf(script: string, timeoutMs?: number): Promise<{ name: string; message: string }> {
    const kernel = await kernelThat(script, timeoutMs);
    return kernel.verify([{ kind: 'ext4', device }]).then(
      (findings) => ({ name: 'no error', message: JSON.stringify(findings) }),
      (error: Error) => error,
    );
  }

  it.each([
    ['no JSON', `port.write('hello\\n')`, /does not keep to the protocol: "hello"/],
    ['JSON that is no message', `port.write('[1]\\n')`, /does not keep to the protocol/],
    ['JSON that is deep', `port.write('['.repeat(500000) + '\\n')`, /does not keep to the protocol/],
    ['a line without an end', `endless(Buffer.alloc(65536, 120))`, /does not keep to the protocol: "xxxx/],
    ['bytes without an end', `say({ did: 'unmount', bytes: 1e15 })`, /does not keep to the protocol/],
    ['fewer than no bytes', `say({ did: 'unmount', bytes: -1 })`, /does not keep to the protocol/],
    ['findings that are none', `say({ did: request.do, findings: 7 })`, /does not say what it found/],
    ['its end', `process.exit(3)`, /it stopped \(exit 3\)/],
    ['a failure', `say({ failed: { what: 'unmount', detail: 'no' } })`, /unmount: no/],
    ['a failure of no shape', `say({ failed: 3 })`, /The emulated machine failed/],
    ['terminal commands', `say({ failed: { what: '\\x1b[2J', detail: '\\u202e' } })`, /\?\[2J: \?/],
  ])('that answers %s is an error', async (_what, script, message) => {
    expect(await failureOf(script)).toMatchObject({
      name: 'KernelEngineError',
      message: expect.stringMatching(message) as string,
    });
  });

  it('that says nothing is given its time, and no more', async () => {
    expect(await failureOf('', 500)).toMatchObject({
      name: 'KernelEngineError',
      message: expect.stringMatching(/did not finish within 0.5 s/) as string,
    });
  });

  it('that talks without an end is given its time, and no more', async () => {
    expect(await failureOf(`endless('{"performed":1}\\n')`, 1000)).toMatchObject({
      name: 'KernelEngineError',
      message: expect.stringMatching(/did not finish within 1 s/) as string,
    });
  });

  it('that does not start is started once more, and then an error', async () => {
    const kernel = await kernelThat('');
    await writeFile(join(directory, 'qemu'), '#!/bin/sh\necho no such machine >&2; exit 1\n');
    await expect(kernel.verify([{ kind: 'ext4', device }])).rejects.toMatchObject({
      name: 'KernelEngineError',
      message: expect.stringMatching(/QEMU: no such machine/) as string,
    });
  });

  it('that finds too much is cut short', async () => {
    const kernel = await kernelThat(`say({ did: request.do, findings: Array(5000).fill('x'.repeat(5000)) })`);
    await expect(kernel.verify([{ kind: 'ext4', device }])).rejects.toThrow(/protocol/);
    const less = await kernelThat(`say({ did: request.do, findings: Array(700).fill('x'.repeat(5000)) })`);
    const findings = await less.verify([{ kind: 'ext4', device }]);
    expect([findings.length, findings[0]!.length]).toEqual([200, 2000]);
  });

  it.each<[string, unknown]>([
    ['a size that is no number', [...STAT.slice(0, 6), '1', ...STAT.slice(7)]],
    ['a size beyond all numbers', [...STAT.slice(0, 6), 2 ** 60, ...STAT.slice(7)]],
    ['a negative owner', [...STAT.slice(0, 4), -1, ...STAT.slice(5)]],
    ['a type that there is not', [...STAT.slice(0, 2), 'door', ...STAT.slice(3)]],
    ['a time with too many nanoseconds', [...STAT.slice(0, 9), 2e9, ...STAT.slice(10)]],
    ['an inode beyond those of its subvolume', [7, 2 ** 40, ...STAT.slice(2)]],
    ['too little', STAT.slice(1)],
  ])('that shows %s is an error', async (_what, stat) => {
    const kernel = await kernelThat(`say({ did: 'read', stat: ${JSON.stringify(stat)} })`);
    const reading = await kernel.read([{ kind: 'ext4', device }]);
    try {
      await expect(reading.filesystems[0]!.lstat('/')).rejects.toMatchObject({ name: 'KernelEngineError' });
    } finally {
      await reading.close();
    }
  });

  it.each(['', '.', '..', 'a/b', 'a\0', 'x'.repeat(256), 5])(
    'that lists a name that is none is an error (%#)',
    async (name) => {
      const entries = JSON.stringify([[name, ...STAT]]);
      const kernel = await kernelThat(`say({ did: 'read', directory: '', entries: ${entries} })`);
      const reading = await kernel.read([{ kind: 'ext4', device }]);
      const scan = async (): Promise<void> => {
        for await (const entry of reading.filesystems[0]!.scan()) expect(entry).toBeUndefined();
      };
      await expect(scan()).rejects.toMatchObject({ name: 'KernelEngineError' });
      await reading.close();
    },
  );

  it('that takes no operations, and blames one that there is not, is an error', async () => {
    const operation: ResolvedOperation = {
      kind: 'put-file',
      path: '/file',
      content: new Uint8Array(8 * 1024 * 1024),
      metadata: { mode: 0o644, uid: 0, gid: 0, mtimeNs: 0n, xattrs: new Map() },
    };
    const ended = { value: false };
    async function* endless(): AsyncIterable<ResolvedOperation> {
      try {
        for (;;) yield operation;
      } finally {
        ended.value = true;
      }
    }
    const kernel = await kernelThat(
      `if (request.do === 'perform') { say({ failed: { what: 'operation', detail: 'EIO', index: 1e9 } }); port.pause(); }`,
    );
    await expect(
      kernel.perform([{ mountPoint: '/', kind: 'ext4', device }], endless()),
    ).rejects.toMatchObject({ name: 'KernelEngineError' });
    expect(ended.value).toBe(true);
  });
});
