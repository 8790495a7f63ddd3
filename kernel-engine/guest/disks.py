"""The disks of this machine, and filesystems mounted from them."""

import os

import system
from failure import Failure

# What never changes the disk beyond what is asked for: no times of access, no work in the background, no discard.
# ext4 stops at the first error whatever its superblock says.
WRITING = {
    "ext4": "noinit_itable,nodiscard,errors=remount-ro",
    "xfs": "nouuid,nodiscard",
    "btrfs": "nodiscard,subvol=/",
    "vfat": "errors=remount-ro,iocharset=utf8",
}
# Without replay of a log: what is on the disk, and not a byte written.
READING = {
    "ext4": "noload",
    "xfs": "norecovery,nouuid",
    "btrfs": "rescue=nologreplay,subvol=/",
    "vfat": "iocharset=utf8",
}
ALIASES = {"ext2": "ext4", "ext3": "ext4", "fat": "vfat", "msdos": "vfat"}
# What the kernel logs at this level or below is an error (syslog(2)).
ERROR_LEVEL = 3
MAX_KERNEL_LINES = 20

_loaded = set()


def load_modules(group):
    with open("/modules/" + group) as order:
        names = order.read().split()
    for name in names:
        if name not in _loaded:
            system.load_module(f"/modules/{name}.ko")
            _loaded.add(name)


def find_disks():
    """Device files by the serial number that the host gave each disk."""
    disks = {}
    for name in os.listdir("/sys/block"):
        try:
            with open(f"/sys/block/{name}/serial") as file:
                disks[file.read().strip()] = "/dev/" + name
        except FileNotFoundError:
            continue
    return disks


# Which mount option goes on with which quota of XFS: its accounting flag, that of enforcing, and the options (xfs_quota_defs.h).
XFS_QUOTAS = (
    (0x0001, 0x0002, "uquota", "uqnoenforce"),
    (0x0040, 0x0080, "gquota", "gqnoenforce"),
    (0x0008, 0x0200, "pquota", "pqnoenforce"),
)
XFS_QFLAGS_AT = 176


def xfs_quota_options(device):
    """Quotas that were on stay on: else the next mount would have to count all files again."""
    with open(device, "rb") as disk:
        flags = int.from_bytes(disk.read(512)[XFS_QFLAGS_AT : XFS_QFLAGS_AT + 2], "big")
    return "".join(
        "," + (enforcing if flags & enforced else counting)
        for counted, enforced, enforcing, counting in XFS_QUOTAS
        if flags & counted
    )


class KernelLog:
    """What the kernel says, from now on."""

    def __init__(self):
        self._fd = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        self.forget()

    def forget(self):
        os.lseek(self._fd, 0, os.SEEK_END)

    def errors(self):
        return self.lines(ERROR_LEVEL)

    def lines(self, level=7):
        found = []
        while True:
            try:
                record = os.read(self._fd, 8192)
            except BlockingIOError:
                return found[-MAX_KERNEL_LINES:]
            except BrokenPipeError:
                continue  # older records were overwritten
            head, _, text = record.decode("utf-8", "replace").partition(";")
            if int(head.split(",")[0]) & 7 <= level:
                found.append(text.split("\n")[0])


class Mounts:
    """Mounted filesystems by number, in the order in which the host names them."""

    def __init__(self):
        self.log = KernelLog()
        self._disks = {}
        self.paths = []

    def begin(self):
        """Looks at the disks only now: those of a machine that is started from a saved state are others."""
        load_modules("disks")
        self._disks = find_disks()

    def device(self, serial):
        return self._disks[serial]

    def mount(self, serial, kind, subvolume=None, writable=False):
        kind = ALIASES.get(kind, kind)
        if kind not in WRITING:
            raise Failure("mount", f"{kind} is not a filesystem that is mounted here")
        load_modules(kind)
        options = (WRITING if writable else READING)[kind]
        if subvolume is not None:
            options = options.replace("subvol=/", "subvol=/" + subvolume.strip("/"))
        if kind == "xfs" and writable:
            options += xfs_quota_options(self.device(serial))
        target = f"/mounts/{len(self.paths)}"
        os.mkdir(target)
        self.log.forget()
        try:
            system.mount(
                self.device(serial), target, kind, system.MS_NOATIME if writable else system.MS_RDONLY, options
            )
        except OSError as error:
            said = self.log.lines()
            raise Failure("mount", f"{kind} cannot be mounted: {error.strerror}", kernel=said) from error
        self.paths.append(target)
        return target

    def unmount_all(self):
        for target in reversed(self.paths):
            try:
                system.unmount(target)
            except OSError as error:
                raise Failure("unmount", error.strerror, kernel=self.log.lines()) from error
            os.rmdir(target)
        self.paths = []
