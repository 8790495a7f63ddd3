"""Runs the recorder as on a kernel that refuses what came later. usage: older-kernel.py RECORDER VERSION ARGUMENT..."""
import errno
import sys
import time

folder, version = sys.argv[1], tuple(int(part) for part in sys.argv[2].split("."))
sys.path.insert(0, folder)
sys.dont_write_bytecode = True
if version < (5,):
    # Python 3.6, which systems with such kernels have (RHEL 8), does not know it.
    del time.CLOCK_BOOTTIME
import fanotify
import record_update

allowed = fanotify.call


def call(name, *arguments):
    numbers = [getattr(argument, "value", 0) for argument in arguments]
    too_new = (
        name == "fanotify_init" and numbers[0] & 0xC00 and version < (5, 9)
        or name == "fanotify_mark" and numbers[2] & fanotify.RENAME and version < (5, 17)
        or name == "fanotify_mark" and numbers[2] & fanotify.OPEN_EXEC and version < (5, 0)
        or name == "fanotify_mark" and numbers[1] & 0x100 and version < (4, 20)
    )
    if too_new:
        raise OSError(errno.EINVAL, "Invalid argument")
    return allowed(name, *arguments)


fanotify.call = call
sys.exit(record_update.main(sys.argv[3:]))
