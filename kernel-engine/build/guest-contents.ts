/** What is taken from which Debian package. Paths are those of the package. */
export const SUITE = 'trixie';

/** An empty package that needs the newest kernel: small, made for virtual machines. */
export const KERNEL_META_PACKAGE = 'linux-image-cloud-amd64';
export const KERNEL_PACKAGE = /^linux-image-.*-cloud-amd64$/;

const LIBRARIES = 'usr/lib/x86_64-linux-gnu';
const PYTHON = 'usr/lib/python3.13';

export interface PackageContents {
  readonly package: string;
  readonly files?: readonly string[];
  /** Shared libraries by the name that programs ask for. */
  readonly libraries?: readonly string[];
  /** Python modules; what is put into the guest is compiled. */
  readonly python?: readonly string[];
}

export const CONTENTS: readonly PackageContents[] = [
  { package: 'libc6', files: ['usr/lib64/ld-linux-x86-64.so.2'], libraries: ['libc.so.6', 'libm.so.6'] },
  { package: 'libgcc-s1', libraries: ['libgcc_s.so.1'] },
  { package: 'zlib1g', libraries: ['libz.so.1'] },
  { package: 'libexpat1', libraries: ['libexpat.so.1'] },
  { package: 'libffi8', libraries: ['libffi.so.8'] },
  { package: 'python3.13-minimal', files: ['usr/bin/python3.13'] },
  {
    package: 'libpython3.13-minimal',
    python: [
      'os.py',
      'struct.py',
      'types.py',
      'encodings/__init__.py',
      'encodings/aliases.py',
      'encodings/utf_8.py',
    ],
  },
  {
    package: 'libpython3.13-stdlib',
    files: [`${PYTHON}/lib-dynload/_ctypes.cpython-313-x86_64-linux-gnu.so`],
    python: ['ctypes/__init__.py', 'ctypes/_endian.py'],
  },
  { package: 'libuuid1', libraries: ['libuuid.so.1'] },
  { package: 'libblkid1', libraries: ['libblkid.so.1'] },
  { package: 'libcom-err2', libraries: ['libcom_err.so.2'] },
  { package: 'libext2fs2t64', libraries: ['libext2fs.so.2', 'libe2p.so.2'] },
  { package: 'e2fsprogs', files: ['usr/sbin/e2fsck'] },
  { package: 'liburcu8t64', libraries: ['liburcu.so.8'] },
  { package: 'xfsprogs', files: ['usr/sbin/xfs_repair'] },
  { package: 'libudev1', libraries: ['libudev.so.1'] },
  { package: 'libcap2', libraries: ['libcap.so.2'] },
  { package: 'liblzo2-2', libraries: ['liblzo2.so.2'] },
  { package: 'libzstd1', libraries: ['libzstd.so.1'] },
  { package: 'btrfs-progs', files: ['usr/bin/btrfs'] },
  { package: 'dosfstools', files: ['usr/sbin/fsck.fat'] },
];

/** Modules by what they are loaded for: the disks, and each kind of filesystem. ext4 is part of the kernel. */
export const MODULE_GROUPS = {
  disks: ['virtio_pci', 'virtio_blk', 'virtio_console'],
  ext4: ['ext4', 'quota_v2'],
  xfs: ['xfs'],
  btrfs: ['btrfs'],
  vfat: ['vfat', 'nls_cp437', 'nls_ascii', 'nls_utf8', 'nls_iso8859_1'],
} as const;

export { LIBRARIES, PYTHON };
