"""What was done to each path and by whom; the events themselves are not kept."""
import os

import fanotify
from actors import OWN, SERVICE_CLIENTS

OPENED, READ, EXECUTED, WRITTEN, CREATED = 1, 2, 4, 8, 16
REMOVED, MOVED_AWAY, MOVED_HERE, ATTRIBUTES, DIRECTORY = 32, 64, 128, 256, 512
CHANGES = WRITTEN | CREATED | REMOVED | MOVED_AWAY | MOVED_HERE | ATTRIBUTES

_BITS = (
    (fanotify.OPEN, OPENED),
    (fanotify.ACCESS, READ),
    # Closed by one who could only read it: what is read through mmap(2) has no other event.
    (fanotify.CLOSE_NOWRITE, READ),
    (fanotify.OPEN_EXEC, EXECUTED),
    (fanotify.MODIFY, WRITTEN),
    (fanotify.CLOSE_WRITE, WRITTEN),
    (fanotify.CREATE, CREATED),
    (fanotify.DELETE, REMOVED),
    (fanotify.MOVED_FROM, MOVED_AWAY),
    (fanotify.MOVED_TO, MOVED_HERE),
    (fanotify.ATTRIB, ATTRIBUTES),
    (fanotify.ONDIR, DIRECTORY),
)


def bits_of(mask):
    bits = 0
    for event, bit in _BITS:
        if mask & event:
            bits |= bit
    return bits


class Tally:
    def __init__(self, left_out):
        self._left_out = tuple(path.encode() for path in left_out)
        self.by_actor = {}
        self.renames = {}
        self.events = 0
        self.overflows = 0
        # Events in directories that were gone when they were looked up.
        self.unresolved = 0

    def add(self, path, bits, actor):
        if self._is_left_out(path):
            return
        paths = self.by_actor.setdefault(actor, {})
        paths[path] = paths.get(path, 0) | bits

    def add_rename(self, source, target, actor):
        if not self._is_left_out(source) and not self._is_left_out(target):
            self.renames[(source, target, actor)] = True

    def _is_left_out(self, path):
        return path.startswith(self._left_out)


class Reader:
    """
    Drains one group into the tally. `is_own`: the group of the update's own mounts, all there is the update's doing.
    `is_elsewhere`: the group from which those mounts are left out. Neither: names, of which the kernel tells no mount.
    """

    def __init__(self, group, tally, directories, processes, is_own, is_elsewhere):
        self._group = group
        self._tally = tally
        self._directories = directories
        self._processes = processes
        self._is_own = is_own
        self._is_elsewhere = is_elsewhere
        self._seen = {}
        self._moved_from = {}
        self.fd = group.fd

    def drain(self, skip_pid):
        """Empties the queue."""
        pending = []
        while True:
            data = self._group.read()
            if not data:
                break
            pending.append(data)
            if len(pending) >= 8 or not self._group.names:
                self._take(pending, skip_pid)
                pending = []
        self._take(pending, skip_pid)

    def _take(self, pending, skip_pid):
        tally = self._tally
        seen = self._seen
        last_pid = -1
        actor = OWN
        for data in pending:
            for mask, pid, fd, first, second in fanotify.events_of(data):
                tally.events += 1
                if mask & fanotify.Q_OVERFLOW:
                    tally.overflows += 1
                    continue
                if pid == skip_pid:
                    self._drop(fd)
                    continue
                if pid != last_pid:
                    last_pid = pid
                    if self._is_own:
                        self._processes.saw_own(pid)
                    else:
                        actor = self._processes.actor(pid, self._is_elsewhere)
                if not self._group.names:
                    self._take_descriptor(fd, mask, actor)
                    continue
                if second is None and not mask & (fanotify.MOVED_FROM | fanotify.MOVED_TO):
                    # Most events repeat one that was counted already.
                    key = (first, actor)
                    known = seen.get(key, 0)
                    if known | mask == known:
                        continue
                    seen[key] = known | mask
                self._take_names(mask, pid, actor, first, second)

    def _take_names(self, mask, pid, actor, first, second):
        bits = bits_of(mask)
        path = self._path(first)
        if second is not None:
            self._take_rename(path, self._path(second), bits, actor)
        elif path is None:
            self._tally.unresolved += 1
            return
        elif mask & fanotify.MOVED_TO:
            # Without FAN_RENAME (Linux 5.17) the two halves follow each other in the queue, by the same process.
            self._take_rename(self._moved_from.pop(pid, None), path, bits, actor)
        elif mask & fanotify.MOVED_FROM:
            self._moved_from[pid] = path
        rest = bits & ~(MOVED_HERE if second is None else MOVED_AWAY | MOVED_HERE)
        if path is not None and rest & ~DIRECTORY:
            self._tally.add(path, rest, actor)
        self._look_for_client(path, bits)

    def _look_for_client(self, path, bits):
        # Of older kernels there is no event of its own for what is executed.
        if self._is_own and bits & (EXECUTED | OPENED) and path.rpartition(b"/")[2] in SERVICE_CLIENTS:
            self._processes.saw_client()

    def _take_rename(self, source, target, bits, actor):
        """Either may be in a directory that is gone by now: dpkg unpacks into one that it then removes."""
        kind = bits & DIRECTORY
        if source is None or target is None:
            self._tally.unresolved += 1
        else:
            self._tally.add_rename(source, target, actor)
        if source is not None:
            self._tally.add(source, MOVED_AWAY | kind, actor)
        if target is not None:
            self._tally.add(target, MOVED_HERE | kind, actor)
        if kind:
            # All below has other paths now.
            self._directories.forget_paths()
            self._seen.clear()

    def _take_descriptor(self, fd, mask, actor):
        if fd < 0:
            self._tally.unresolved += 1
            return
        path = fanotify.path_of_descriptor(fd)
        if path is None:
            self._tally.unresolved += 1
            return
        bits = bits_of(mask)
        self._tally.add(path, bits, actor)
        self._look_for_client(path, bits)

    def _path(self, record):
        filesystem, handle, name = fanotify.split_name(record)
        directory = self._directories.path(filesystem, handle)
        if directory is None or name == b"." or name == b"":
            return directory
        return directory + name if directory == b"/" else directory + b"/" + name

    def _drop(self, fd):
        if fd >= 0:
            os.close(fd)
