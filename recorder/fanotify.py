"""fanotify(7) by ctypes: groups, marks and events, by what the running kernel accepts."""
import ctypes
import os
import struct

ACCESS = 0x1
MODIFY = 0x2
ATTRIB = 0x4
CLOSE_WRITE = 0x8
CLOSE_NOWRITE = 0x10
OPEN = 0x20
MOVED_FROM = 0x40
MOVED_TO = 0x80
CREATE = 0x100
DELETE = 0x200
OPEN_EXEC = 0x1000
Q_OVERFLOW = 0x4000
RENAME = 0x10000000
ONDIR = 0x40000000

# What is done to a file through a path of one mount, and what is done to a name in a directory.
FILE_EVENTS = ACCESS | MODIFY | CLOSE_WRITE | CLOSE_NOWRITE | OPEN | OPEN_EXEC
NAME_EVENTS = ATTRIB | MOVED_FROM | MOVED_TO | CREATE | DELETE

_CLOEXEC, _NONBLOCK, _UNLIMITED_QUEUE, _UNLIMITED_MARKS = 0x1, 0x2, 0x10, 0x20
_REPORT_DIRECTORY_AND_NAME = 0x400 | 0x800
_MARK_ADD, _MARK_MOUNT, _MARK_FILESYSTEM = 0x1, 0x10, 0x100
_MARK_IGNORED, _MARK_IGNORED_SURVIVES_MODIFY = 0x20, 0x40
_AT_FDCWD = -100
_O_NOATIME = getattr(os, "O_NOATIME", 0)
_READ_BYTES = 256 * 1024
# Where each event opens a descriptor: fewer than a process may have, since the kernel drops an event that finds none.
_DESCRIPTORS_AT_ONCE = 128

_METADATA = struct.Struct("=IBBHQii")
_INFO = struct.Struct("=BBH")
_INFO_OLD_NAME, _INFO_NEW_NAME, _INFO_NAME, _INFO_DIRECTORY = 10, 12, 2, 3
_METADATA_VERSION = 3

libc = ctypes.CDLL(None, use_errno=True)


def call(name, *arguments):
    """Calls a function of the C library; raises OSError when it answers -1."""
    result = getattr(libc, name)(*arguments)
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, "%s: %s" % (name, os.strerror(number)))
    return result


class Group:
    """One fanotify group. With names (Linux 5.9) an event tells a directory handle and a name, before that a descriptor."""

    def __init__(self, names, unlimited=True):
        self.names = names
        self._bytes = _READ_BYTES if names else _DESCRIPTORS_AT_ONCE * _METADATA.size
        flags = _CLOEXEC | _NONBLOCK | _UNLIMITED_MARKS
        if unlimited:
            flags |= _UNLIMITED_QUEUE
        if names:
            flags |= _REPORT_DIRECTORY_AND_NAME
        event_flags = os.O_RDONLY | os.O_CLOEXEC | _O_NOATIME | getattr(os, "O_LARGEFILE", 0)
        self.fd = call("fanotify_init", ctypes.c_uint(flags), ctypes.c_uint(event_flags))

    def _mark(self, flags, mask, path):
        call(
            "fanotify_mark",
            ctypes.c_int(self.fd),
            ctypes.c_uint(_MARK_ADD | flags),
            ctypes.c_uint64(mask),
            ctypes.c_int(_AT_FDCWD),
            ctypes.c_char_p(os.fsencode(path)),
        )

    def mark_mount(self, mask, path):
        self._mark(_MARK_MOUNT, mask, path)

    def mark_filesystem(self, mask, path):
        self._mark(_MARK_FILESYSTEM, mask, path)

    def ignore_mount(self, mask, path):
        self._mark(_MARK_MOUNT | _MARK_IGNORED | _MARK_IGNORED_SURVIVES_MODIFY, mask, path)

    def read(self):
        """The next bytes of the queue; empty when there are none."""
        try:
            return os.read(self.fd, self._bytes)
        except BlockingIOError:
            return b""

    def close(self):
        os.close(self.fd)


def events_of(data):
    """(mask, pid, descriptor, info) of each event; info is {kind: bytes} of fsid, handle and name, see `split_name`."""
    at = 0
    end = len(data)
    while at < end:
        length, version, _, metadata, mask, fd, pid = _METADATA.unpack_from(data, at)
        if version != _METADATA_VERSION:
            raise OSError("fanotify events of version %d" % version)
        first = second = None
        info = at + metadata
        stop = at + length
        while info < stop:
            kind, _, size = _INFO.unpack_from(data, info)
            if kind == _INFO_NEW_NAME:
                second = data[info + 4 : info + size]
            elif kind in (_INFO_NAME, _INFO_OLD_NAME, _INFO_DIRECTORY):
                first = data[info + 4 : info + size]
            info += size
        yield mask, pid, fd, first, second
        at = stop


def split_name(record):
    """(filesystem id, struct file_handle, name) of an info record; the name ends at its NUL, padding follows."""
    handle_end = 16 + struct.unpack_from("=I", record, 8)[0]
    return record[:8], record[8:handle_end], record[handle_end:].split(b"\0", 1)[0]


def path_of_descriptor(fd):
    """Closes it. None when the file has no name any more, or never had one."""
    try:
        path = os.readlink(b"/proc/self/fd/%d" % fd)
    except OSError:
        path = b""
    os.close(fd)
    return path if path.startswith(b"/") and not path.endswith(b" (deleted)") else None
