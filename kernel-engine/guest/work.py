"""What the host can ask for."""

import errno
import os
import time

import system
from checking import check
from disks import ALIASES, Mounts, WRITING, load_modules
from failure import Failure
from operations import PERFORM, Refused
from reading import Filesystem, Reading
from tree import Tree

REPORT_EVERY = 256


class Work:
    def __init__(self, port):
        self._port = port
        self._mounts = Mounts()
        self._trees = []
        self._reading = Reading()

    def do(self, request):
        """Returns what is answered, and the bytes that go with it."""
        match request["do"]:
            case "prepare":
                return prepare(), b""
            case "begin":
                return self._begin(request), b""
            case "mount":
                return self._mount(request["mounts"], request["writable"]), b""
            case "perform":
                return self._perform_all(), b""
            case "read":
                return self._read(request)
            case "unmount":
                return self._unmount(), b""
            case "check":
                return {"findings": self._check(request["mounts"])}, b""
        raise Failure("protocol", "nothing is done by that name")

    def _begin(self, request):
        """Takes the time and some chance from the host: a machine that is started from a saved state has neither."""
        time.clock_settime(time.CLOCK_REALTIME, request["time"])
        system.add_randomness(bytes.fromhex(request["chance"]))
        self._mounts.begin()
        return {}

    def _mount(self, mounts, writable):
        for wanted in mounts:
            root = self._mounts.mount(wanted["disk"], wanted["kind"], wanted.get("subvolume"), writable)
            if writable:
                self._trees.append(Tree(root))
            else:
                self._reading.filesystems.append(Filesystem(root, wanted["kind"]))
        self._mounts.log.forget()
        return {}

    def _unmount(self):
        for tree in self._trees:
            tree.close()
        self._trees = []
        self._reading.close()
        self._mounts.unmount_all()
        complaints = self._mounts.log.errors()
        if complaints:
            raise Failure("unmount", "the kernel complained", kernel=complaints)
        return {}

    def _check(self, mounts):
        findings = []
        checked = set()
        for wanted in mounts:
            kind = ALIASES.get(wanted["kind"], wanted["kind"])
            if wanted["disk"] in checked:
                continue
            checked.add(wanted["disk"])
            findings += check(kind, self._mounts.device(wanted["disk"]))
        return findings

    def _read(self, request):
        try:
            return self._reading.answer(request)
        except OSError as error:
            raise Failure("read", error.strerror or str(error), errno=error_name(error)) from error

    def _perform_all(self):
        """Operations follow, one message each, until one that is none."""
        count = 0
        while (operation := self._port.receive()).get("op") is not None:
            try:
                self._perform(operation)
            except Refused as refused:
                raise Failure("operation", refused.why, index=count, **refused.facts) from refused
            except OSError as error:
                facts = {"errno": error_name(error), **self._space_facts(error, operation)}
                raise Failure("operation", error.strerror or str(error), index=count, **facts) from error
            count += 1
            if count % REPORT_EVERY == 0:
                self._port.send({"performed": count})
        for tree in self._trees:
            tree.restore_times()
            tree.sync()
        return {"count": count}

    def _space_facts(self, error, operation):
        """What of a full filesystem explains the error."""
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            return {}
        space = os.statvfs(self._mounts.paths[operation["mount"]])
        wanted = -(-operation.get("bytes", 0) // space.f_frsize)
        return {"wanted": max(1, wanted), "blocks": space.f_bavail, "inodes": space.f_favail}

    def _perform(self, operation):
        content = self._port.payload(operation.get("bytes", 0))
        tree = self._trees[operation["mount"]]
        PERFORM[operation["op"]](tree, os.fsencode(operation["path"]), operation, content)


def prepare():
    """Does beforehand what any work needs, before the state of the machine is saved."""
    for kind in WRITING:
        load_modules(kind)
    system.clear_free_memory()
    return {}


def error_name(error):
    return errno.errorcode.get(error.errno, str(error.errno))
