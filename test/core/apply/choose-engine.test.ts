import { chooseEngine, touchedMounts } from '../../../core/apply/choose-engine';
import type { WritableMount } from '../../../core/apply/apply-engine';
import { UnsupportedFeatureError } from '../../../core/filesystem/errors';
import type { LinuxKernel } from '../../../core/filesystem/linux-kernel';
import { RefusedFilesystemError } from '../../../core/filesystem/write-errors';
import { MemoryFilesystem } from '../../support/memory-filesystem';

const kernel = {} as LinuxKernel;
const filesystem = new MemoryFilesystem();
const written: WritableMount = { mountPoint: '/', kind: 'ext4', filesystem, writer: filesystem };
const refusal = new UnsupportedFeatureError(['xfs'], 'write');
const unwritten: WritableMount = { mountPoint: '/var', kind: 'xfs', filesystem, refusal };

test('the direct engine where our writers serve all that is changed', () => {
  const mounts = touchedMounts([written, unwritten], ['/etc/passwd', '/variety']);
  expect(mounts).toEqual([written]);
  expect(chooseEngine(mounts, kernel).name).toBe('direct');
});

test('the kernel for all, as soon as one has no writer', () => {
  const mounts = touchedMounts([written, unwritten], ['/etc/passwd', '/var/lib']);
  expect(chooseEngine(mounts, kernel).name).toBe('kernel');
  expect(() => chooseEngine(mounts, undefined)).toThrow(refusal);
});

test('nobody writes what neither may write', () => {
  const refused = new RefusedFilesystemError('ext4', 'it is in use by another host');
  expect(() => chooseEngine([{ ...unwritten, refusal: refused }], kernel)).toThrow(refused);
});
