import { openXfs } from '../../core/filesystem/xfs/open-xfs';
import { readerContract, type Volume } from './reader-contract';

const xfs = (name: string, ...options: string[]): Volume => ({
  name,
  mkfs: ['mkfs.xfs', '-q', '-f', '-K', '--unsupported', '-L', 'a label', ...options],
});
const newer = (name: string, ...options: string[]): Volume => ({ ...xfs(name, ...options), tools: 'newer' });

/** What mkfs.xfs of each distribution turns on, over the defaults of Debian 12's; and each geometry and feature by itself. */
const VOLUMES: readonly Volume[] = [
  xfs('as Debian 12 makes it'),
  newer('as Debian 13 makes it'),
  xfs('as Amazon Linux 2 makes it', '-m', 'finobt=0,reflink=0,bigtime=0,inobtcount=0', '-i', 'sparse=0'),
  xfs('as RHEL 8 makes it', '-m', 'bigtime=0,inobtcount=0'),
  newer('parent pointers and exchange-range', '-n', 'parent=1', '-i', 'exchange=1', '-m', 'rmapbt=1'),
  xfs('blocks of 1 KiB', '-b', 'size=1024'),
  newer('blocks of 2 KiB, parent pointers', '-b', 'size=2048', '-n', 'parent=1', '-i', 'size=1024'),
  { ...newer('blocks of 16 KiB', '-b', 'size=16384', '-i', 'size=2048'), sizeMiB: 320, filledWith: 0 },
  { ...newer('blocks of 64 KiB', '-b', 'size=65536', '-s', 'size=4096'), sizeMiB: 640, filledWith: 0 },
  xfs('sectors of 4 KiB', '-s', 'size=4096', '-m', 'rmapbt=1'),
  xfs('inodes of 1 KiB, nrext64', '-i', 'size=1024,nrext64=1'),
  xfs('inodes of 2 KiB', '-i', 'size=2048'),
  xfs('directory blocks of 64 KiB', '-b', 'size=1024', '-n', 'size=65536', '-i', 'nrext64=1'),
  xfs('directory blocks of 8 KiB, no reflink', '-n', 'size=8192', '-m', 'reflink=0'),
  { ...xfs('many groups', '-d', 'agcount=12', '-l', 'size=16m'), sizeMiB: 208, filledWith: 0 },
  { ...xfs('stripes', '-d', 'su=64k,sw=4', '-l', 'su=256k'), sizeMiB: 160, filledWith: 0 },
  {
    ...xfs('a UUID of its own'),
    afterwards: ['xfs_admin', '-U', '5e1fa11e-0000-4000-8000-00000000beef'],
    judgedAs: 'loop',
  },
];

jest.setTimeout(120_000);

describe('the XFS reader shows what the kernel shows, on a volume', () =>
  readerContract({ kind: 'xfs', open: openXfs }, VOLUMES));
