/** Ways to make an ext4 volume that a writer must get right, by what is special about them. */
export const VOLUME_MATRIX: Readonly<Record<string, readonly string[]>> = {
  'as Debian 12 makes it': [],
  'blocks of 1 KiB': ['-b', '1024'],
  'blocks of 2 KiB': ['-b', '2048'],
  'no 64bit': ['-O', '^64bit'],
  'no metadata_csum': ['-O', '^metadata_csum'],
  'metadata_csum_seed and orphan_file': ['-O', 'metadata_csum_seed,orphan_file'],
  'inodes of 128 bytes': ['-I', '128'],
  'no flex_bg': ['-O', '^flex_bg'],
  'uninit_bg in the place of metadata_csum': ['-O', '^metadata_csum,uninit_bg'],
  'no dir_index': ['-O', '^dir_index'],
  'no extents': ['-O', '^extent,^64bit'],
  'an ext3 volume': ['-t', 'ext3'],
  'no journal': ['-O', '^has_journal'],
  'large inodes and small groups': ['-I', '1024', '-g', '2048'],
  meta_bg: ['-b', '1024', '-g', '1024', '-O', 'meta_bg,^resize_inode'],
  'sparse_super2, mmp, verity and stable_inodes': [
    ...['-g', '2048', '-O', 'sparse_super2,^resize_inode,mmp,verity,stable_inodes'],
  ],
  inline_data: ['-O', 'inline_data'],
  'inline_data in large inodes, ea_inode and large_dir': [
    ...['-b', '2048', '-I', '512', '-O', 'inline_data,ea_inode,large_dir'],
  ],
};

export function mkfsCommand(options: readonly string[]): string[] {
  return ['mkfs.ext4', '-q', '-F', '-b', '4096', '-E', 'lazy_itable_init=1', ...options];
}
