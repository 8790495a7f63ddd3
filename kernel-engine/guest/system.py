"""System calls that Python's os does not have, by libc."""

import ctypes
import os

_libc = ctypes.CDLL(None, use_errno=True)

AT_FDCWD = -100
AT_SYMLINK_NOFOLLOW = 0x100
MS_RDONLY = 1
MS_NOATIME = 1024
SYS_FINIT_MODULE = 313  # x86-64
RB_POWER_OFF = 0x4321FEDC
UTIME_OMIT = (1 << 30) - 2  # stat.h

STATX_ATTR_IMMUTABLE = 0x10
STATX_ATTR_APPEND = 0x20
STATX_ATTR_VERITY = 0x100000
_STATX_BASIC_STATS = 0x7FF


class _Timespec(ctypes.Structure):
    _fields_ = [("sec", ctypes.c_int64), ("nsec", ctypes.c_int64)]


class _StatxTimestamp(ctypes.Structure):
    _fields_ = [("sec", ctypes.c_int64), ("nsec", ctypes.c_uint32), ("reserved", ctypes.c_int32)]


class Statx(ctypes.Structure):
    """struct statx (statx(2)): as lstat, and with what chattr set, without opening the file."""

    _fields_ = [
        ("mask", ctypes.c_uint32),
        ("blksize", ctypes.c_uint32),
        ("attributes", ctypes.c_uint64),
        ("nlink", ctypes.c_uint32),
        ("uid", ctypes.c_uint32),
        ("gid", ctypes.c_uint32),
        ("mode", ctypes.c_uint16),
        ("spare0", ctypes.c_uint16),
        ("ino", ctypes.c_uint64),
        ("size", ctypes.c_uint64),
        ("blocks", ctypes.c_uint64),
        ("attributes_mask", ctypes.c_uint64),
        ("atime", _StatxTimestamp),
        ("btime", _StatxTimestamp),
        ("ctime", _StatxTimestamp),
        ("mtime", _StatxTimestamp),
        ("rdev_major", ctypes.c_uint32),
        ("rdev_minor", ctypes.c_uint32),
        ("dev_major", ctypes.c_uint32),
        ("dev_minor", ctypes.c_uint32),
        ("spare", ctypes.c_uint64 * 14),
    ]

    @property
    def mtime_ns(self):
        return self.mtime.sec * 1_000_000_000 + self.mtime.nsec

    @property
    def ctime_ns(self):
        return self.ctime.sec * 1_000_000_000 + self.ctime.nsec

    @property
    def immutable(self):
        return bool(self.attributes & STATX_ATTR_IMMUTABLE)

    @property
    def append_only(self):
        return bool(self.attributes & STATX_ATTR_APPEND)

    @property
    def sealed(self):
        """By fs-verity: its content can never change."""
        return bool(self.attributes & STATX_ATTR_VERITY)


def _call(result):
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def statx(dir_fd, name):
    stat = Statx()
    _call(_libc.statx(dir_fd, name, AT_SYMLINK_NOFOLLOW, _STATX_BASIC_STATS, ctypes.byref(stat)))
    return stat


def set_mtime(dir_fd, name, mtime_ns):
    """Sets the time of modification and leaves that of access."""
    times = (_Timespec * 2)((0, UTIME_OMIT), divmod(mtime_ns, 1_000_000_000))
    _call(_libc.utimensat(dir_fd, name, times, AT_SYMLINK_NOFOLLOW))


def mount(source, target, kind, flags=0, options=""):
    _call(
        _libc.mount(
            source.encode(), target.encode(), kind.encode(), ctypes.c_ulong(flags), os.fsencode(options)
        )
    )


def unmount(target):
    _call(_libc.umount2(target.encode(), 0))


def sync_filesystem(fd):
    _call(_libc.syncfs(fd))


def load_module(path):
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        _call(_libc.syscall(SYS_FINIT_MODULE, fd, b"", 0))
    finally:
        os.close(fd)


RNDRESEEDCRNG = 0x5207  # linux/random.h


def add_randomness(chance):
    fd = os.open("/dev/urandom", os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(fd, chance)
        _call(_libc.ioctl(fd, ctypes.c_ulong(RNDRESEEDCRNG), 0))
    finally:
        os.close(fd)


KEPT_FREE = 48 << 20
PROT_READ, PROT_WRITE = 1, 2
MAP_PRIVATE, MAP_ANONYMOUS, MAP_POPULATE = 0x02, 0x20, 0x8000


def clear_free_memory():
    """What was freed, the archive of the first filesystem for one, becomes zeros, which take no place in a saved state."""
    with open("/proc/sys/vm/drop_caches", "w") as control:
        control.write("3")
    with open("/proc/meminfo") as file:
        free = next(int(line.split()[1]) << 10 for line in file if line.startswith("MemFree:"))
    length = ctypes.c_size_t(max(0, free - KEPT_FREE))
    _libc.mmap.restype = ctypes.c_void_p
    flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE
    address = _libc.mmap(None, length, PROT_READ | PROT_WRITE, flags, -1, ctypes.c_long(0))
    _libc.munmap(ctypes.c_void_p(address), length)


def power_off():
    _libc.reboot(ctypes.c_int(RB_POWER_OFF - (1 << 32) if RB_POWER_OFF >> 31 else RB_POWER_OFF))
