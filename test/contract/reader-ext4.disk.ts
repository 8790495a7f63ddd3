import { openExt4 } from '../../core/filesystem/ext4/open-ext4';
import { readerContract, type Volume } from './reader-contract';

const ext4 = (name: string, ...options: string[]): Volume => ({
  name,
  mkfs: ['mkfs.ext4', '-q', '-F', '-E', 'nodiscard', '-L', 'a label', ...options],
});
const newer = (name: string, ...options: string[]): Volume => ({
  ...ext4(name, ...options),
  mkfs: ['mke2fs', '-t', 'ext4', ...ext4(name, ...options).mkfs.slice(1)],
  tools: 'newer',
});

/** What mkfs.ext4 of each distribution turns on, over the defaults of Debian 12's; and each feature by itself. */
const VOLUMES: readonly Volume[] = [
  ext4('as Debian 12 makes it', '-b', '4096'),
  newer('as Debian 13 makes it', '-b', '4096'),
  ext4('as Ubuntu 24.04 makes it', '-b', '4096', '-O', 'metadata_csum_seed,orphan_file'),
  ext4('as Amazon Linux 2 makes it', '-b', '4096', '-O', '^metadata_csum,^64bit,uninit_bg'),
  ext4('blocks of 1 KiB', '-b', '1024'),
  ext4('blocks of 2 KiB', '-b', '2048'),
  ext4('32-bit', '-b', '4096', '-O', '^64bit'),
  ext4('no checksums', '-b', '1024', '-O', '^metadata_csum'),
  ext4('inodes of 128 bytes', '-I', '128'),
  ext4('inodes of 1 KiB', '-I', '1024'),
  ext4('no flex_bg', '-O', '^flex_bg'),
  ext4('many small groups', '-b', '4096', '-g', '512', '-O', '^resize_inode'),
  ext4('meta_bg', '-b', '1024', '-g', '256', '-O', 'meta_bg,^resize_inode'),
  ext4('sparse_super2', '-O', 'sparse_super2,^resize_inode'),
  ext4('bigalloc', '-O', 'bigalloc'),
  ext4('bigalloc and meta_bg', '-b', '1024', '-C', '8192', '-O', 'bigalloc,meta_bg,^resize_inode'),
  ext4('large_dir and mmp', '-O', 'large_dir,mmp'),
  { ...ext4('quota and project'), afterwards: ['tune2fs', '-O', 'quota,project'] },
  ext4('inline_data', '-O', 'inline_data'),
  ext4('inline_data in inodes of 1 KiB', '-b', '2048', '-I', '1024', '-O', 'inline_data'),
  ext4('ea_inode', '-O', 'ea_inode'),
  ext4('ea_inode and inline_data', '-b', '1024', '-O', 'ea_inode,inline_data,metadata_csum_seed'),
  ext4('sparse_super2 and meta_bg', '-b', '1024', '-g', '256', '-O', 'sparse_super2,meta_bg,^resize_inode'),
  ext4('stable_inodes', '-O', 'stable_inodes'),
  ext4('verity and fast_commit', '-O', 'verity,fast_commit'),
  ext4('no journal', '-O', '^has_journal'),
  { name: 'ext3', mkfs: ['mkfs.ext3', '-q', '-F', '-E', 'nodiscard', '-L', 'third'] },
  {
    name: 'ext2 of old',
    mkfs: ['mkfs.ext2', '-q', '-F', '-O', '^filetype,^dir_index,^sparse_super,^resize_inode'],
  },
];

jest.setTimeout(120_000);

describe('the ext4 reader shows what the kernel shows, on a volume', () =>
  readerContract({ kind: 'ext4', open: openExt4 }, VOLUMES));
