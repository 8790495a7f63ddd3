import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { MemoryBlockDevice } from '../../../core/block-device/memory-block-device';
import { OverlayBlockDevice } from '../../../core/block-device/overlay-block-device';
import type { NbdExport } from '../../../kernel-engine/nbd/nbd-export';
import { NbdServer } from '../../../kernel-engine/nbd/nbd-server';
import { temporaryFolder } from '../../support/temporary-folder';

const run = promisify(execFile);
/** No whole number of pages, nor of snapshot blocks. */
const SIZE_BYTES = 24 * 1024 * 1024 + 512;

const folder = temporaryFolder('nbd-clients');
const file = path.join(folder, 'content.raw');
const content = randomBytes(SIZE_BYTES);

async function serve<Result>(use: (server: NbdServer, device: OverlayBlockDevice) => Promise<Result>) {
  const device = new OverlayBlockDevice(new MemoryBlockDevice(SIZE_BYTES));
  const exports = new Map<string, NbdExport>([
    ['the disk', { access: 'read-write', device }],
    ['kept', { access: 'read-only', device }],
  ]);
  const server = await NbdServer.listen({ socketPath: path.join(folder, 'nbd.sock'), exports });
  try {
    return await use(server, device);
  } finally {
    await server.close();
    expect(server.statistics.brokenConnections).toBe(0);
  }
}

const qemuIo = (url: string, ...commands: string[]): Promise<{ stdout: string }> =>
  run('qemu-io', ['-f', 'raw', ...commands.flatMap((command) => ['-c', command]), url]);

beforeAll(() => writeFile(file, content));

it('nbdinfo sees every export, by name', () =>
  serve(async (server) => {
    const { stdout } = await run('nbdinfo', ['--json', '--list', server.url('')]);
    const { protocol, exports } = JSON.parse(stdout) as {
      protocol: string;
      exports: Record<string, unknown>[];
    };
    expect(protocol).toBe('newstyle-fixed');
    expect(exports).toMatchObject([
      {
        'export-name': 'the disk',
        'export-size': SIZE_BYTES,
        is_read_only: false,
        can_flush: true,
        can_fua: true,
        can_multi_conn: true,
        can_trim: true,
        can_zero: true,
        block_size_minimum: 1,
        block_size_preferred: 4096,
        block_size_maximum: 33_554_432,
      },
      { 'export-name': 'kept', 'export-size': SIZE_BYTES, is_read_only: true, can_zero: false },
    ]);
  }));

it('nbdcopy writes and reads over several connections', () =>
  serve(async (server, device) => {
    await run('nbdcopy', [
      '--threads=4',
      '--connections=4',
      '--requests=32',
      '--flush',
      file,
      server.url('the disk'),
    ]);
    expect(Buffer.compare(await device.read(0, SIZE_BYTES), content)).toBe(0);
    const copy = path.join(folder, 'copy.raw');
    await run('nbdcopy', ['--threads=4', '--connections=4', server.url('kept'), copy]);
    expect(Buffer.compare(await readFile(copy), content)).toBe(0);
    expect(server.statistics.connections).toBeGreaterThanOrEqual(8);
  }));

it('qemu-img writes, compares, and finds the one byte that differs', () =>
  serve(async (server, device) => {
    const convert = ['convert', '-n', '-W', '-m', '8', '-f', 'raw', '-O', 'raw'];
    await run('qemu-img', [...convert, file, server.url('the disk')]);
    const compare = ['compare', '-f', 'raw', '-F', 'raw', file, server.url('kept')];
    await expect(run('qemu-img', compare)).resolves.toMatchObject({
      stdout: expect.stringContaining('identical') as string,
    });
    await device.write(SIZE_BYTES - 1, new Uint8Array([content[SIZE_BYTES - 1]! ^ 1]));
    await expect(run('qemu-img', compare)).rejects.toMatchObject({ code: 1 });
  }));

it('qemu-io writes patterns that straddle pages, zeroes, discards and flushes', () =>
  serve(async (server) => {
    await qemuIo(
      server.url('the disk'),
      'aio_write -P 1 0 64k',
      'aio_write -P 2 64k 64k',
      'aio_flush',
      'write -P 3 511 1026',
      'write -f -P 4 1048575 2',
      'write -z 5000 70000',
      'write -z -u 80000 1',
      'discard 4M 1M',
      'flush',
      'read -P 1 0 511',
      'read -P 3 511 1026',
      'read -P 1 1537 3463',
      'read -P 0 5000 70000',
      'read -P 2 75000 5000',
      'read -P 0 80000 1',
      'read -P 4 1048575 2',
    ).then(({ stdout }) => expect(stdout).not.toContain('failed'));
    expect(server.statistics).toMatchObject({ zeroedBytes: 70001, trims: 1 });
  }));

it('qemu-io is not let write to an export that is only read, nor open one that there is not', () =>
  serve(async (server) => {
    await expect(qemuIo(server.url('kept'), 'write 0 512')).rejects.toThrow('Permission denied');
    await expect(qemuIo(server.url('other'), 'read 0 512')).rejects.toThrow('export not available');
  }));

it('qemu-io sees an error of the device as an input/output error', async () => {
  const device = new MemoryBlockDevice(SIZE_BYTES);
  device.read = () => Promise.reject(new Error('gone'));
  const exports = new Map<string, NbdExport>([['disk', { access: 'read-only', device }]]);
  const server = await NbdServer.listen({ socketPath: path.join(folder, 'broken.sock'), exports });
  try {
    const reading = run('qemu-io', ['-r', '-f', 'raw', '-c', 'read 0 512', server.url('disk')]);
    await expect(reading).rejects.toMatchObject({
      stdout: expect.stringContaining('read failed: Input/output error') as string,
    });
    expect(server.firstFailure).toMatchObject({ request: 'read', cause: { message: 'gone' } });
  } finally {
    await server.close();
  }
});
