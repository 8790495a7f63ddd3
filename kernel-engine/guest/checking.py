"""The own checks of filesystems, which only look."""

import os

from failure import Failure

MAX_LINES = 200
MAX_LINE = 500
MAX_BYTES = 1 << 20


class Check:
    """How a kind is checked, what its exit status says, and what of its output is no finding."""

    def __init__(self, command, found, noise=()):
        self.command = command
        self.found = found
        self.noise = noise


CHECKS = {
    "ext4": Check(["/usr/sbin/e2fsck", "-f", "-n"], {4}, ("Pass ", "e2fsck ")),
    "xfs": Check(["/usr/sbin/xfs_repair", "-n"], {1}, ("Phase ", "        - ", "No modify flag")),
    "btrfs": Check(["/usr/bin/btrfs", "check", "--readonly"], {1}, ("[", "Opening filesystem", "Checking ")),
    "vfat": Check(["/usr/sbin/fsck.fat", "-n"], {1}, ("fsck.fat ",)),
}


def check(kind, device):
    """What is wrong, a line each."""
    how = CHECKS[kind]
    status, lines = run([*how.command, device])
    if status == 0:
        return []
    if status not in how.found:
        raise Failure("check", f"{how.command[0]} ended with {status}", kernel=lines[-20:])
    findings = [line for line in lines if line.strip() and not line.startswith(how.noise)]
    return (findings or lines)[:MAX_LINES]


def run(command):
    """Exit status, or minus the signal, and what the program printed first."""
    reading, writing = os.pipe()
    child = os.posix_spawn(
        command[0],
        command,
        {"PATH": "/usr/sbin:/usr/bin", "LC_ALL": "C"},
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
            (os.POSIX_SPAWN_DUP2, writing, 1),
            (os.POSIX_SPAWN_DUP2, writing, 2),
        ],
    )
    os.close(writing)
    output = b""
    while piece := os.read(reading, 65536):
        if len(output) < MAX_BYTES:
            output += piece
    os.close(reading)
    _, status = os.waitpid(child, 0)
    lines = output.decode("utf-8", "replace").splitlines()
    return os.waitstatus_to_exitcode(status), [line[:MAX_LINE] for line in lines]
