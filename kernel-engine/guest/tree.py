"""Paths of one mounted filesystem, never followed through symbolic links."""

import errno
import os

import system

# Directories that are held open; a path in one of them needs no walk.
MAX_OPEN = 64
DIRECTORY = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class Tree:
    def __init__(self, root):
        self._root = os.open(root, DIRECTORY)
        self._open = {}
        # Time of modification of each directory whose entries changed, as it was: changing an entry is not to change it.
        self._times = {}

    def place(self, path):
        """The open directory that holds the path, and the name in it; "." for the root."""
        if path == b"/":
            return self._root, b"."
        parent, _, name = path.rpartition(b"/")
        return self.directory(parent or b"/"), name

    def directory(self, path):
        if path == b"/":
            return self._root
        fd = self._open.pop(path, None)
        if fd is None:
            parent, name = self.place(path)
            if name in (b".", b".."):
                raise OSError(errno.EINVAL, "the path is not normalised")
            fd = os.open(name, DIRECTORY, dir_fd=parent)
            if len(self._open) >= MAX_OPEN:
                self._close(next(iter(self._open)))
        self._open[path] = fd
        return fd

    def place_to_change(self, path):
        """As place(), for a change of the entry: the directory's time is put back by restore_times()."""
        parent, name = self.place(path)
        holder = path.rpartition(b"/")[0] or b"/"
        if path != b"/" and holder not in self._times:
            self._times[holder] = system.statx(parent, b".").mtime_ns
        return parent, name

    def time_was_set(self, path, mtime_ns):
        if path in self._times:
            self._times[path] = mtime_ns

    def forget(self, path):
        """A directory that is no more."""
        self._times.pop(path, None)
        if path in self._open:
            self._close(path)

    def restore_times(self):
        for path, mtime_ns in self._times.items():
            fd = self.directory(path)
            if system.statx(fd, b".").mtime_ns != mtime_ns:
                with unprotected(fd):
                    system.set_mtime(fd, b".", mtime_ns)
        self._times.clear()

    def sync(self):
        fd = os.open(".", os.O_RDONLY | os.O_CLOEXEC, dir_fd=self._root)
        try:
            system.sync_filesystem(fd)
        finally:
            os.close(fd)

    def close(self):
        for path in list(self._open):
            self._close(path)
        os.close(self._root)

    def _close(self, path):
        os.close(self._open.pop(path))


FS_IOC_GETFLAGS, FS_IOC_SETFLAGS = 0x80086601, 0x40086602
FS_APPEND_FL = 0x20


class unprotected:
    """An append-only directory takes entries, and with them a new time, but no time from us: not while the flag is set."""

    def __init__(self, directory):
        self._directory = directory
        self._fd = None

    def __enter__(self):
        if not system.statx(self._directory, b".").append_only:
            return
        import fcntl

        self._fd = os.open(".", os.O_RDONLY | os.O_CLOEXEC, dir_fd=self._directory)
        # The array module is not of use here: it wants `collections`, which the guest does not have.
        self._flags = bytearray(8)
        fcntl.ioctl(self._fd, FS_IOC_GETFLAGS, self._flags)
        without = int.from_bytes(self._flags, "little") & ~FS_APPEND_FL
        fcntl.ioctl(self._fd, FS_IOC_SETFLAGS, without.to_bytes(8, "little"))

    def __exit__(self, *_):
        if self._fd is None:
            return
        import fcntl

        fcntl.ioctl(self._fd, FS_IOC_SETFLAGS, self._flags)
        os.close(self._fd)
