"""Mounts of this machine, and the paths of directory handles."""
import ctypes
import os
import re

from fanotify import call

# Of the types without a block device of their own, those that a machine's root may have.
_ROOTS_WITHOUT_DEVICE = {"overlay", "zfs", "bcachefs"}
# Read-only by their nature: nothing of an update can be in them.
_IMAGES = {"squashfs", "iso9660", "erofs", "cramfs"}
# Made anew at every boot; a container's manager shows files of its host there.
_RUNTIME = ("/run/", "/proc/", "/sys/", "/dev/")
_STATFS_BYTES = 256
_FSID_OFFSET = 56


class Mount:
    def __init__(self, identity, path):
        self.identity = identity
        self.path = path


def recorded_mounts():
    """Mounts of filesystems that keep files: not /proc, /sys, tmpfs or what is on another machine (proc(5), mountinfo)."""
    without_device = set()
    with open("/proc/filesystems") as types:
        for line in types:
            first, _, kind = line.rstrip("\n").partition("\t")
            if first == "nodev":
                without_device.add(kind)
    mounts = []
    with open("/proc/self/mountinfo", "rb") as table:
        for line in table:
            fields = line.split(b" ")
            kind = os.fsdecode(fields[fields.index(b"-") + 1])
            if kind in without_device and kind not in _ROOTS_WITHOUT_DEVICE:
                continue
            path = os.fsdecode(re.sub(rb"\\([0-7]{3})", lambda found: bytes([int(found.group(1), 8)]), fields[4]))
            if kind not in _IMAGES and not path.startswith(_RUNTIME):
                mounts.append(Mount((fields[0], fields[2], fields[4]), path))
    return mounts


def filesystem_id(path):
    """What fanotify calls the filesystem: f_fsid of statfs(2), which Python's statvfs does not have whole (64-bit Linux)."""
    space = ctypes.create_string_buffer(_STATFS_BYTES)
    call("statfs", ctypes.c_char_p(os.fsencode(path)), space)
    return space.raw[_FSID_OFFSET : _FSID_OFFSET + 8]


class Directories:
    """Paths of directories by their handle. A handle outlives renames; the path is the one at the time of the question."""

    def __init__(self):
        self._mounts = {}
        self._paths = {}

    def add_filesystem(self, path):
        key = filesystem_id(path)
        self._mounts.setdefault(key, path)

    def forget_paths(self):
        self._paths.clear()

    def path(self, filesystem, handle):
        """None when the directory is gone, and was never asked for."""
        key = (filesystem, handle)
        known = self._paths.get(key)
        if known is None:
            known = self._look(filesystem, handle)
            if known is not None:
                self._paths[key] = known
        return known

    def _look(self, filesystem, handle):
        mount = self._mounts.get(filesystem)
        if mount is None:
            return None
        try:
            # Not kept open: the update must be free to unmount it.
            anchor = os.open(mount, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError:
            return None
        try:
            space = ctypes.create_string_buffer(handle, len(handle))
            fd = call("open_by_handle_at", ctypes.c_int(anchor), space, ctypes.c_int(os.O_PATH | os.O_CLOEXEC))
        except OSError:
            return None
        finally:
            os.close(anchor)
        try:
            path = os.readlink(b"/proc/self/fd/%d" % fd)
        finally:
            os.close(fd)
        return None if path.endswith(b" (deleted)") else path
