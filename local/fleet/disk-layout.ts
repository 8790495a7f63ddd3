/** How the disks of a machine are divided, as data: `makeDisks` makes them. */
export interface DiskLayout {
  readonly name: string;
  /** The first is the root volume. */
  readonly disks: readonly DiskPlan[];
}

export interface DiskPlan {
  /** Where EC2 attaches it. */
  readonly device: string;
  readonly sizeBytes: number;
  /** A GPT with these partitions, one after the other; or one filesystem on the bare disk. */
  readonly partitions?: readonly PartitionPlan[];
  readonly bare?: FilesystemPlan;
}

export interface PartitionPlan {
  readonly type: 'bios-boot' | 'efi-system' | 'linux' | 'linux-root' | 'lvm';
  /** Without it, all that is left. */
  readonly sizeBytes?: number;
  readonly filesystem?: FilesystemPlan;
  readonly volumeGroup?: {
    readonly name: string;
    /** In extents of 4 MiB, or a share of what is free, as lvcreate(8) takes it. */
    readonly volumes: readonly {
      readonly name: string;
      readonly extents: string;
      readonly filesystem: FilesystemPlan;
    }[];
  };
}

export interface FilesystemPlan {
  readonly kind: 'ext4' | 'xfs' | 'btrfs' | 'vfat';
  readonly label: string;
  /** How fstab calls it; a logical volume is called by its device-mapper name. */
  readonly calledBy?: 'UUID' | 'LABEL';
  readonly mounts: readonly MountPlan[];
}

export interface MountPlan {
  readonly mountPoint: string;
  readonly subvolume?: string;
  readonly options: string;
  /** Last field of fstab: order of checks at boot. */
  readonly check: 0 | 1 | 2;
}

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;

/** GRUB's place on a GPT disk that a BIOS boots; EC2 images have it first. */
const BIOS_BOOT: PartitionPlan = { type: 'bios-boot', sizeBytes: 3 * MIB };

/** A host kernel may not know FAT, so a machine comes up without it. */
const EFI_SYSTEM: PartitionPlan = {
  type: 'efi-system',
  sizeBytes: 64 * MIB,
  filesystem: {
    kind: 'vfat',
    label: 'EFI',
    mounts: [{ mountPoint: '/boot/efi', options: 'umask=0077,nofail', check: 0 }],
  },
};

const boot = (kind: 'ext4' | 'xfs'): PartitionPlan => ({
  type: 'linux',
  // mkfs.xfs makes nothing below 300 MB.
  sizeBytes: 512 * MIB,
  filesystem: {
    kind,
    label: 'boot',
    mounts: [{ mountPoint: '/boot', options: 'defaults', check: kind === 'ext4' ? 2 : 0 }],
  },
});

const xfs = (label: string, mountPoint: string, options = 'defaults'): FilesystemPlan => ({
  kind: 'xfs',
  label,
  mounts: [{ mountPoint, options, check: 0 }],
});

const EXT4_ROOT: PartitionPlan = {
  type: 'linux-root',
  filesystem: {
    kind: 'ext4',
    label: 'root',
    mounts: [{ mountPoint: '/', options: 'defaults,errors=remount-ro', check: 1 }],
  },
};

const rootDisk = (...partitions: PartitionPlan[]): DiskPlan => ({
  device: '/dev/xvda',
  sizeBytes: 8 * GIB,
  partitions: [BIOS_BOOT, ...partitions],
});

/** One root filesystem, as Debian's and Ubuntu's images had it for long. */
export const EXT4: DiskLayout = { name: 'ext4', disks: [rootDisk(EXT4_ROOT)] };

/** Root and /boot on XFS, as on RHEL and its kin. */
export const XFS: DiskLayout = {
  name: 'XFS',
  disks: [rootDisk(EFI_SYSTEM, boot('xfs'), { type: 'linux-root', filesystem: xfs('root', '/') })],
};

/** Root on XFS, /boot on ext4. */
export const XFS_EXT4_BOOT: DiskLayout = {
  name: 'XFS, /boot on ext4',
  disks: [rootDisk(boot('ext4'), { type: 'linux-root', filesystem: xfs('root', '/') })],
};

/** Subvolumes for the root and /home, as SUSE and Fedora lay them out. */
export const BTRFS: DiskLayout = {
  name: 'btrfs',
  disks: [
    rootDisk({
      type: 'linux-root',
      filesystem: {
        kind: 'btrfs',
        label: 'root',
        mounts: [
          { mountPoint: '/', subvolume: '@', options: 'defaults', check: 0 },
          { mountPoint: '/home', subvolume: '@home', options: 'defaults', check: 0 },
        ],
      },
    }),
  ],
};

/** XFS on logical volumes, /boot beside the group. */
export const XFS_ON_LVM: DiskLayout = {
  name: 'XFS on LVM',
  disks: [
    rootDisk(EFI_SYSTEM, boot('ext4'), {
      type: 'lvm',
      volumeGroup: {
        name: 'fleet',
        volumes: [
          { name: 'root', extents: '60%VG', filesystem: xfs('root', '/') },
          // The initramfs activates the group and mounts what lies on it.
          { name: 'var', extents: '80%FREE', filesystem: xfs('var', '/var', 'defaults,x-initrd.mount') },
        ],
      },
    }),
  ],
};

/** /var on an EBS volume of its own, without a partition table. */
export const TWO_VOLUMES: DiskLayout = {
  name: 'ext4, /var on a second volume',
  disks: [
    rootDisk(EXT4_ROOT),
    { device: '/dev/sdf', sizeBytes: 4 * GIB, bare: { ...xfs('var', '/var'), calledBy: 'LABEL' } },
  ],
};
