"""
Runs an update and records which paths it, and everybody else, read, wrote, renamed or removed meanwhile.

The update gets a mount namespace of its own whose mounts stay shared with the machine's: an event on one of its mounts
is then the update's by word of the kernel, however short its process lived. What is done through any other mount is
somebody else's, or a unit's that the update restarted.

usage: record_update.py --directory FOLDER [--check] [--limited-queue] -- COMMAND...
       record_update.py --upload FILE URL
"""
import ctypes
import os
import select
import signal
import subprocess
import sys
import time

import fanotify
from actors import UNSURE, Processes, judge_actors
from places import Directories, recorded_mounts
from record_file import next_part, timestamp, write_part
from tally import Reader, Tally
from upload import upload

CLONE_NEWNS = 0x20000
# Linux' own number (clock_gettime(2)): Python 3.6 has no name for it.
CLOCK_BOOTTIME = 7
# Small files are opened, read and closed in far less: within this time most events of one file merge in the queue.
BATCH_SECONDS = 0.1
CHECKPOINT_SECONDS = 60
PRIORITY = -10


class Watch:
    """The groups: what the update does through its mounts, what others do through theirs, what happens to names."""

    def __init__(self, tally, processes, unlimited):
        self._tally = tally
        self._processes = processes
        self._unlimited = unlimited
        self._groups = {}
        self._marked = set()
        self._ignored = set()
        self.directories = Directories()
        self.own, self.others, self.names = [], [], []
        self.limits = {}
        # Mounts of which nothing is recorded: with one of them the recording is not whole.
        self.missing = []

    def mark_new_mounts(self):
        mounts = recorded_mounts()
        # The kernel gives the number of a mount that is gone to the next one.
        self._marked &= {mount.identity for mount in mounts}
        for mount in mounts:
            if mount.identity in self._marked:
                continue
            self._marked.add(mount.identity)
            try:
                self._mark(mount)
            except OSError as error:
                self.limits[mount.path] = "not recorded: %s" % error
                self.missing.append(mount.path)

    def _mark(self, mount):
        events = fanotify.FILE_EVENTS
        with_names = True
        try:
            # Together: a filesystem that has no handles (or a kernel before 5.9) refuses the first of them.
            self._group("own", True).mark_mount(events | fanotify.ONDIR, mount.path)
            self.directories.add_filesystem(mount.path)
            self._mark_names(mount)
        except OSError as error:
            with_names = False
            self.limits[mount.path] = "renames and removals are not recorded: %s" % error
            # Linux 5.0 brought that event, and kernels that have no names may not have it.
            events &= ~fanotify.OPEN_EXEC
            self._group("own", False).mark_mount(events | fanotify.ONDIR, mount.path)
        others = self._group("others", with_names)
        others.ignore_mount(events, mount.path)
        try:
            others.mark_filesystem(events | fanotify.ONDIR, mount.path)
        except OSError:
            # Before Linux 4.20, or a subvolume.
            self._mark_first_process_mount(others, events | fanotify.ONDIR, mount.path)

    def _mark_first_process_mount(self, others, mask, path):
        words = "of others only what they do through the machine's own mount is recorded"
        try:
            others.mark_mount(mask, "/proc/1/root" + path)
        except OSError as error:
            words = "what others do is not recorded: %s" % error
        known = self.limits.get(path)
        self.limits[path] = words if known is None else "%s; %s" % (known, words)

    def _mark_names(self, mount):
        names = self._group("names", True)
        try:
            mask = fanotify.NAME_EVENTS & ~(fanotify.MOVED_FROM | fanotify.MOVED_TO) | fanotify.RENAME
            names.mark_filesystem(mask | fanotify.ONDIR, mount.path)
        except OSError:
            names.mark_filesystem(fanotify.NAME_EVENTS | fanotify.ONDIR, mount.path)

    def _group(self, kind, names):
        reader = self._groups.get((kind, names))
        if reader is None:
            group = fanotify.Group(names, self._unlimited)
            reader = group, Reader(
                group, self._tally, self.directories, self._processes, kind == "own", kind == "others"
            )
            self._groups[(kind, names)] = reader
            getattr(self, kind).append(reader[1])
        return reader[0]

    def drain_others(self):
        for reader in self.others:
            reader.drain(os.getpid())

    def drain(self):
        # The update's files first: they tell which processes are its own, and the events of names ask for that.
        for readers in (self.own, self.names, self.others):
            for reader in readers:
                reader.drain(os.getpid())

    def close(self):
        groups, self._groups = self._groups, {}
        for group, _ in groups.values():
            group.close()


class Recorder:
    def __init__(self, directory, unlimited):
        self.path, self.number = next_part(directory)
        self.tally = Tally([os.path.realpath(directory) + "/"])
        fanotify.call("unshare", ctypes.c_int(CLONE_NEWNS))
        self.processes = Processes(time.clock_gettime(CLOCK_BOOTTIME))
        self.watch = Watch(self.tally, self.processes, unlimited)
        self.watch.mark_new_mounts()
        # A signal came: the machine may be going down, and what there is now may be all there will be.
        self.is_urgent = False
        self.header = {
            "part": self.number,
            "method": "fanotify",
            "kernel": os.uname().release,
            "boot": open("/proc/sys/kernel/random/boot_id").read().strip(),
            "started": timestamp(time.time()),
        }

    def record_while(self, child, wake):
        """Until the update's command has ended; `wake` is readable when a signal came."""
        poll = select.poll()
        poll.register(wake, select.POLLIN)
        mounts = open("/proc/self/mountinfo")
        poll.register(mounts, select.POLLPRI)
        self._watch_others(poll)
        batch = checkpoint = time.monotonic()
        while True:
            ready = {fd for fd, _ in poll.poll(BATCH_SECONDS * 1000)}
            if mounts.fileno() in ready:
                self.watch.mark_new_mounts()
                self._watch_others(poll)
            if wake in ready:
                os.read(wake, 4096)
                if child.poll() is not None:
                    break
            self.watch.drain_others()
            now = time.monotonic()
            if now - batch >= BATCH_SECONDS or self.is_urgent:
                batch = now
                self.watch.drain()
            if now - checkpoint >= CHECKPOINT_SECONDS or self.is_urgent:
                checkpoint = now
                self.is_urgent = False
                self._try_checkpoint()
        mounts.close()
        self.watch.drain()

    def _watch_others(self, poll):
        # At once: who did it is asked of a process that may not live long.
        for reader in self.watch.others:
            poll.register(reader.fd, select.POLLIN)

    def checkpoint(self):
        """What is left when the machine goes down before the update's command ends."""
        actors = {actor: UNSURE for actor in self.tally.by_actor if not isinstance(actor, str) and actor[1] is not False}
        write_part(self.path, self.full_header(), self.tally, actors, None)

    def _try_checkpoint(self):
        try:
            self.checkpoint()
        except OSError:
            # A disk that is full now need not be when the update ends; the part that is there says that it was cut off.
            return

    def full_header(self):
        return dict(self.header, limits=self.watch.limits, missing=self.watch.missing)

    def finish(self, code, failure):
        self.watch.close()
        judged = judge_actors({actor for actor in self.tally.by_actor if not isinstance(actor, str)}, self.processes)
        end = {"exit": code, "ended": timestamp(time.time())}
        if failure is not None:
            end["failure"] = failure
        write_part(self.path, self.full_header(), self.tally, judged, end)


def hurry():
    """Runs as soon as there are events: a process can be asked who it is while it lives. Costs nothing while there are none."""
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    except OSError:
        # A control group without a share of real time, mostly.
        try:
            os.setpriority(os.PRIO_PROCESS, 0, PRIORITY)
        except OSError:
            # As a last resort the pace of everybody: more processes are gone when they are looked at, and are told as unsure.
            return


def outlive():
    """Where memory runs out another process goes first: without its recorder the update would seem to have ended."""
    try:
        with open("/proc/self/oom_score_adj", "w") as score:
            score.write("-1000")
    except OSError:
        # In a container that forbids it; the part that is cut off tells.
        return


def given_environment():
    """As this program was started with: where there is no locale, Python puts one into its own (PEP 538)."""
    with open("/proc/self/environ", "rb") as given:
        return dict(entry.split(b"=", 1) for entry in given.read().split(b"\0") if b"=" in entry)


def run_unrecorded(command):
    """In the place of this program, with the signals that Python ignores as they were."""
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    os.execvpe(command[0], command, given_environment())


def run(recorder, command):
    """Exit code of the command, 128 + n after signal n, as a shell tells it."""
    wake, signalled = os.pipe()
    os.set_blocking(signalled, False)
    signal.set_wakeup_fd(signalled)
    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    # Started first: what comes before the first event is read waits in the queue, and it inherits no priority.
    child = subprocess.Popen(command, env=given_environment())
    hurry()
    outlive()

    def pass_on(number, frame):
        # Nothing else: this may come in the middle of anything.
        child.send_signal(number)
        recorder.is_urgent = True

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, pass_on)
    failure = None
    try:
        recorder.record_while(child, wake)
    except Exception as error:  # The update goes on whatever becomes of the recording, whose end says so.
        failure = "%s: %s" % (type(error).__name__, error)
        # What nobody reads any more would fill the memory for as long as the update goes on.
        recorder.watch.close()
    code = child.wait()
    code = 128 - code if code < 0 else code
    try:
        recorder.finish(code, failure)
    except Exception:  # A part without an end is what the reader takes as lost; the update's exit code counts more.
        pass
    return code


def main(arguments):
    directory = "."
    unlimited, only_check = True, False
    while arguments:
        option = arguments.pop(0)
        if option == "--directory":
            directory = arguments.pop(0)
        elif option == "--limited-queue":
            unlimited = False
        elif option == "--check":
            only_check = True
        elif option == "--upload":
            upload(*arguments)
            return 0
        elif option == "--":
            break
    try:
        recorder = Recorder(directory, unlimited)
        recorder.checkpoint()
    except Exception as error:
        if not only_check:
            # It could when it was asked. Without a part of its own the recording counts as lost, and the update is run.
            run_unrecorded(arguments)
        sys.stderr.write("%s: %s\n" % (type(error).__name__, error))
        return 1
    if only_check:
        os.unlink(recorder.path)
        return 0 if recorder.watch.own else 1
    return run(recorder, arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
