"""What the host reads of a mounted filesystem: the vocabulary of core/filesystem/filesystem.ts."""

import errno
import os
import stat

import system
from failure import Failure
from operations import TYPES
from tree import DIRECTORY, Tree

BATCH = 256
# A filesystem that leads in circles ends here; no path of a sound one is longer (PATH_MAX is 4096).
MAX_PATH = 16384
MAX_SCANS = 64
CHUNK = 1 << 20
BTRFS_IOC_INO_LOOKUP = 0xD0009412  # linux/btrfs.h
BTRFS_FIRST_FREE_OBJECTID = 256


class Filesystem:
    """One mounted filesystem. Inodes are numbered within a subvolume, where there are such."""

    def __init__(self, root, kind):
        self._root = root
        self.tree = Tree(root)
        self._has_subvolumes = kind == "btrfs"
        self._subvolumes = {}

    def subvolume(self, directory, device):
        """Number of the tree that a directory's inodes are of; 0 where there is but one."""
        if not self._has_subvolumes:
            return 0
        if device not in self._subvolumes:
            self._subvolumes[device] = subvolume_of(directory)
        return self._subvolumes[device]

    def describe(self, directory, name, found):
        """A stat as the host takes it: [subvolume, inode, type, mode, uid, gid, size, links, times..., device..., flags]"""
        kind = TYPES.get(stat.S_IFMT(found.mode))
        if kind is None:
            raise OSError(errno.EUCLEAN, "an inode has no type")
        device = (found.dev_major, found.dev_minor)
        if self._has_subvolumes and device not in self._subvolumes and kind == "directory":
            fd = os.open(name, DIRECTORY, dir_fd=directory)
            try:
                self.subvolume(fd, device)
            finally:
                os.close(fd)
        subvolume = self.subvolume(directory, device)
        flags = (1 if found.immutable else 0) | (2 if found.append_only else 0)
        return [
            subvolume,
            found.ino,
            kind,
            stat.S_IMODE(found.mode),
            found.uid,
            found.gid,
            found.size,
            found.nlink,
            found.mtime.sec,
            found.mtime.nsec,
            found.ctime.sec,
            found.ctime.nsec,
            found.rdev_major,
            found.rdev_minor,
            flags,
        ]

    def lstat(self, path):
        try:
            directory, name = self.tree.place(path)
            found = system.statx(directory, name)
        except (FileNotFoundError, NotADirectoryError):
            return None
        return self.describe(directory, name, found)

    def list(self, path):
        """Pieces of a directory: [name, subvolume, inode, type] of each entry."""
        fd = self._open_directory(path)
        try:
            batch = []
            for name, found in entries_of(fd):
                batch.append([os.fsdecode(name), *self.describe(fd, name, found)[:3]])
                if len(batch) == BATCH:
                    yield "", batch
                    batch = []
            yield "", batch
        finally:
            os.close(fd)

    def scan(self):
        """Pieces of the whole tree, a directory before what is in it: (path of a directory, [[name, stat...]...])"""
        yield "", [["/", *self.lstat(b"/")]]
        waiting = [b""]
        while waiting:
            path = waiting.pop()
            if len(path) > MAX_PATH:
                raise OSError(errno.ELOOP, "directories lead in circles")
            fd = self._open_directory(path or b"/")
            batch = []
            shown = os.fsdecode(path)
            try:
                for name, found in entries_of(fd):
                    described = self.describe(fd, name, found)
                    if described[2] == "directory":
                        waiting.append(path + b"/" + name)
                    batch.append([os.fsdecode(name), *described])
                    if len(batch) == BATCH:
                        yield shown, batch
                        batch = []
            finally:
                os.close(fd)
            if batch:
                yield shown, batch

    def read_file(self, path, offset, length):
        directory, name = self._expect(path, "file")
        fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=directory)
        try:
            pieces = []
            while length > 0:
                piece = os.pread(fd, min(length, CHUNK), offset)
                if not piece:
                    break
                pieces.append(piece)
                offset += len(piece)
                length -= len(piece)
            return b"".join(pieces)
        finally:
            os.close(fd)

    def readlink(self, path):
        directory, name = self._expect(path, "symlink")
        return os.readlink(name, dir_fd=directory)

    def xattrs(self, path):
        """Pieces of what a file has: [name, value in hexadecimal] of each."""
        directory, name = self.tree.place(path)
        target = b"/proc/self/fd/%d/%s" % (directory, name)
        batch = []
        length = 0
        for key in os.listxattr(target, follow_symlinks=False):
            # XFS shows root where it keeps ACLs, beside the ACLs themselves.
            if key.startswith("trusted.SGI_ACL_"):
                continue
            try:
                value = os.getxattr(target, key, follow_symlinks=False).hex()
            except OSError as error:
                if error.errno != errno.ENODATA:
                    raise
                continue
            batch.append([key, value])
            length += len(key) + len(value)
            if length >= CHUNK:
                yield "", batch
                batch = []
                length = 0
        yield "", batch

    def free_bytes(self):
        space = os.statvfs(self._root)
        return space.f_bavail * space.f_frsize

    def _expect(self, path, kind):
        directory, name = self.tree.place(path)
        found = TYPES.get(stat.S_IFMT(system.statx(directory, name).mode))
        if found != kind:
            raise Failure("wrong-type", str(found))
        return directory, name

    def _open_directory(self, path):
        directory, name = self.tree.place(path)
        return os.open(
            name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=directory
        )


def entries_of(fd):
    with os.scandir(fd) as entries:
        for entry in entries:
            name = os.fsencode(entry.name)
            yield name, system.statx(fd, name)


def subvolume_of(directory):
    import fcntl
    import struct

    fd = os.open(".", os.O_RDONLY | os.O_CLOEXEC, dir_fd=directory)
    try:
        argument = bytearray(struct.pack("<QQ", 0, BTRFS_FIRST_FREE_OBJECTID).ljust(4096, b"\0"))
        fcntl.ioctl(fd, BTRFS_IOC_INO_LOOKUP, argument)
        return struct.unpack_from("<Q", argument)[0]
    finally:
        os.close(fd)


class Reading:
    """Filesystems that are read, and the scans and listings that are under way."""

    def __init__(self):
        self.filesystems = []
        self._under_way = {}

    def answer(self, request):
        """What is asked for and, where it is a content, its bytes."""
        filesystem = self.filesystems[request["filesystem"]]
        path = os.fsencode(request.get("path", "/"))
        match request["read"]:
            case "lstat":
                return {"stat": filesystem.lstat(path)}, b""
            case "free":
                return {"free": filesystem.free_bytes()}, b""
            case "file":
                return {}, filesystem.read_file(path, request["offset"], request["length"])
            case "link":
                return {"target": os.fsdecode(filesystem.readlink(path))}, b""
            case "xattrs":
                return self._begin(request["id"], filesystem.xattrs(path)), b""
            case "list":
                return self._begin(request["id"], filesystem.list(path)), b""
            case "scan":
                return self._begin(request["id"], filesystem.scan()), b""
            case "next":
                return self._next(request["id"]), b""
            case "stop":
                self._under_way.pop(request["id"], None)
                return {}, b""
        raise Failure("protocol", "nothing is read by that name")

    def close(self):
        self._under_way = {}
        for filesystem in self.filesystems:
            filesystem.tree.close()
        self.filesystems = []

    def _begin(self, number, pieces):
        if len(self._under_way) >= MAX_SCANS:
            raise Failure("protocol", "too many scans are under way")
        self._under_way[number] = pieces
        return self._next(number)

    def _next(self, number):
        piece = next(self._under_way[number], None)
        if piece is None:
            del self._under_way[number]
            return {"ended": True}
        return {"directory": piece[0], "entries": piece[1]}
