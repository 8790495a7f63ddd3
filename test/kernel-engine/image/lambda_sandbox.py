"""Runs a program as Lambda runs a function of a container image: an unprivileged user without capabilities, a root that can
only be read but for 512 MB in /tmp, no /dev/kvm, no /dev/shm, no network, few open files, bounded memory and time
(Lambda developer guide, "Lambda quotas" and "Working with Lambda execution environments").

usage: unshare --mount --pid --fork --net --ipc --propagation private python3 lambda_sandbox.py SPECIFICATION
The specification is JSON: root (an empty folder), folders {target: source}, program [...], variables {...}, memoryMb, seconds.
The last line of standard error is JSON: exit code, peakMb.
"""
import ctypes
import json
import os
import resource
import stat
import subprocess
import sys
import time

USER = 993
GROUP = 990
TMP_MB = 512
OPEN_FILES = 1024
PROCESSES = 1024
DEVICES = {"null": (1, 3), "zero": (1, 5), "full": (1, 7), "random": (1, 8), "urandom": (1, 9)}
PR_SET_NO_NEW_PRIVS = 38


def mount(*arguments):
    subprocess.run(["mount", *arguments], check=True)


def make_root(root, folders):
    mount("-t", "tmpfs", "-o", "mode=755", "root", root)
    for target, source in folders.items():
        place = root + target
        if os.path.isdir(source):
            os.makedirs(place, exist_ok=True)
        else:
            os.makedirs(os.path.dirname(place), exist_ok=True)
            open(place, "w").close()
        mount("--bind", source, place)
        mount("-o", "remount,bind,ro", place)
    for name in ("proc", "dev", "tmp"):
        os.mkdir(f"{root}/{name}")
    mount("-t", "proc", "proc", f"{root}/proc")
    for name, (major, minor) in DEVICES.items():
        os.mknod(f"{root}/dev/{name}", stat.S_IFCHR | 0o666, os.makedev(major, minor))
        os.chmod(f"{root}/dev/{name}", 0o666)
    mount("-t", "tmpfs", "-o", f"size={TMP_MB}m,mode=1777", "tmp", f"{root}/tmp")
    mount("-o", "remount,ro", root)


def become_function(root):
    os.chroot(root)
    os.chdir("/")
    resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES, OPEN_FILES))
    resource.setrlimit(resource.RLIMIT_NPROC, (PROCESSES, PROCESSES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.setgroups([])
    # Away from root, and with that from all capabilities.
    os.setresgid(GROUP, GROUP, GROUP)
    os.setresuid(USER, USER, USER)
    ctypes.CDLL(None).prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def used_kilobytes():
    """Of all processes of the function: this namespace has no others but this program, which is not counted."""
    total = 0
    for name in os.listdir("/proc"):
        if not name.isdigit() or int(name) == os.getpid():
            continue
        try:
            with open(f"/proc/{name}/status") as status:
                fields = dict(line.split(":", 1) for line in status)
        except OSError:
            continue
        total += int(fields.get("VmRSS", "0 kB").split()[0])
    return total


def main():
    with open(sys.argv[1]) as file:
        wanted = json.load(file)
    root = wanted["root"]
    make_root(root, wanted["folders"])
    mount("-t", "proc", "proc", "/proc")
    until = time.monotonic() + wanted["seconds"]
    peak = 0
    child = subprocess.Popen(
        wanted["program"],
        env=wanted["variables"],
        stdin=subprocess.DEVNULL,
        preexec_fn=lambda: become_function(root),
    )
    # The end of this program is that of the namespace, and of all that still runs in it.
    while child.poll() is None:
        peak = max(peak, used_kilobytes())
        if peak > wanted["memoryMb"] * 1024:
            sys.exit(f"more than {wanted['memoryMb']} MB of memory")
        if time.monotonic() > until:
            sys.exit(f"more than {wanted['seconds']} seconds")
        time.sleep(0.05)
    print(json.dumps({"exitCode": child.returncode, "peakMb": round(peak / 1024)}), file=sys.stderr)


main()
