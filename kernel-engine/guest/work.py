"""What the host can ask for."""

import errno
import os

from disks import Mounts
from failure import Failure
from operations import PERFORM, Refused
from tree import Tree

REPORT_EVERY = 256


class Work:
    def __init__(self, port):
        self._port = port
        self._mounts = Mounts()
        self._trees = []

    def do(self, request):
        return getattr(self, "do_" + request["do"].replace("-", "_"))(request)

    def do_mount(self, request):
        """Mounts each, or none."""
        for wanted in request["mounts"]:
            root = self._mounts.mount(
                wanted["disk"], wanted["kind"], wanted.get("subvolume"), request["writable"]
            )
            self._trees.append(Tree(root))
        self._mounts.log.forget()

    def do_perform(self, _request):
        """Operations follow, one message each, until one that is none."""
        count = 0
        while (operation := self._port.receive()).get("op") is not None:
            try:
                self._perform(operation)
            except Refused as refused:
                raise Failure("operation", refused.why, index=count, **refused.facts) from refused
            except OSError as error:
                name = errno.errorcode.get(error.errno, str(error.errno))
                raise Failure("operation", error.strerror, index=count, errno=name) from error
            count += 1
            if count % REPORT_EVERY == 0:
                self._port.send({"performed": count})
        for tree in self._trees:
            tree.restore_times()
            tree.sync()
        return {"count": count}

    def _perform(self, operation):
        content = self._port.payload(operation.get("bytes", 0))
        tree = self._trees[operation["mount"]]
        PERFORM[operation["op"]](tree, os.fsencode(operation["path"]), operation, content)

    def do_unmount(self, _request):
        for tree in self._trees:
            tree.close()
        self._trees = []
        self._mounts.unmount_all()
        complaints = self._mounts.log.lines(level=3)
        if complaints:
            raise Failure("unmount", "the kernel complained", kernel=complaints)
