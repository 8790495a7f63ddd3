"""Ages a mounted filesystem. Usage: age-tree.py ROOT SEED STEP...

Steps: churn (files made, grown, punched, cut, renamed and deleted, in rounds, until the space is in pieces and 90 % of it
is taken), crowd=N (a directory of N names), attributes=N (N files with attributes, and one with as many as it holds, up to
3000), forever (churn without end, with a sync now and then: for a power cut in the middle).
"""

import errno
import os
import random
import sys

root = sys.argv[1]
rng = random.Random(int(sys.argv[2]))
PUNCH_HOLE = 0x03


def at(*names):
    return os.path.join(root, *names)


def used():
    space = os.statvfs(root)
    return 1 - space.f_bavail / (space.f_blocks - (space.f_bfree - space.f_bavail))


def punch(fd, offset, length):
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    arguments = (fd, PUNCH_HOLE, ctypes.c_long(offset), ctypes.c_long(length))
    if libc.fallocate(*arguments) != 0 and ctypes.get_errno() not in (errno.EOPNOTSUPP, errno.ENOSPC):
        raise OSError(ctypes.get_errno(), "fallocate")


class Churn:
    def __init__(self):
        self.files = []
        self.made = 0

    def directory(self):
        path = at("churn", f"d{rng.randrange(12)}")
        os.makedirs(path, exist_ok=True)
        return path

    def make(self):
        self.made += 1
        path = os.path.join(self.directory(), f"{self.made}-{'n' * rng.randrange(60)}")
        with open(path, "wb") as file:
            file.write(rng.randbytes(int(rng.paretovariate(0.8) * 700) % 200_000))
        self.files.append(path)

    def change(self):
        path = rng.choice(self.files)
        what = rng.randrange(7)
        if what == 0:
            with open(path, "ab") as file:
                file.write(rng.randbytes(rng.randrange(20_000)))
        elif what == 1:
            size = os.path.getsize(path)
            with open(path, "r+b") as file:
                punch(file.fileno(), rng.randrange(size + 1) // 4096 * 4096, 4096 * rng.randrange(1, 5))
        elif what == 2:
            os.truncate(path, rng.randrange(os.path.getsize(path) + 10_000))
        elif what == 3:
            new = os.path.join(self.directory(), f"renamed-{self.made}-{rng.randrange(10**6)}")
            os.rename(path, new)
            self.files[self.files.index(path)] = new
        elif what == 4:
            os.setxattr(path, f"user.{rng.randrange(4)}", rng.randbytes(rng.randrange(200)))
        elif what == 5:
            os.chmod(path, rng.choice((0o600, 0o644, 0o4755)))
        else:
            with open(path, "r+b") as file:
                file.seek(rng.randrange(os.path.getsize(path) + 1))
                file.write(rng.randbytes(5000))

    def delete(self):
        os.unlink(self.files.pop(rng.randrange(len(self.files))))

    def full(self, action):
        """Does something that may find no room. @returns whether it found room"""
        try:
            action()
            return True
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            return False


def churn():
    state = Churn()
    for turn in range(4):
        while used() < 0.9 and state.full(state.make):
            pass
        for _ in range(300):
            state.full(state.change)
        for _ in range(len(state.files) // 3 if turn < 3 else 0):
            state.delete()
        os.sync()
    # Files that are larger than any piece of free space: their extents are as many as the pieces.
    for path in state.files[::2]:
        os.unlink(path)
    os.sync()
    while used() < 0.9:
        state.made += 1
        with open(at("churn", f"large-{state.made}"), "wb") as file:
            for _ in range(40):
                if not state.full(lambda: file.write(rng.randbytes(65_536))) or used() >= 0.91:
                    break
    if used() < 0.89:
        raise SystemExit(f"only {used():.0%} are taken")


def forever():
    state = Churn()
    for _ in range(200):
        state.full(state.make)
    os.sync()
    # What comes from now on may be cut short; that there is something to cut must not be chance.
    with open(at("ready"), "wb"):
        pass
    while True:
        for _ in range(rng.randrange(40)):
            state.full(state.make)
        for _ in range(rng.randrange(60)):
            if state.files:
                state.full(state.change)
        while len(state.files) > 250 or (used() > 0.8 and state.files):
            state.delete()
        if rng.randrange(3) == 0:
            fd = os.open(rng.choice(state.files), os.O_RDONLY) if state.files else os.open(root, os.O_RDONLY)
            os.fsync(fd)
            os.close(fd)
        elif rng.randrange(6) == 0:
            os.sync()


def crowd(count):
    os.mkdir(at("crowd"))
    target = None
    for number in range(count):
        name = at("crowd", f"name-{number:06d}-{'x' * (number % 23)}")
        # No inode has more names than ext4 allows.
        if number % 20_000 == 0:
            with open(name, "wb") as file:
                file.write(b"%d" % number)
            target = name
        else:
            os.link(target, name)
    for number in range(0, count, 7):
        os.unlink(at("crowd", f"name-{number:06d}-{'x' * (number % 23)}"))


def attributes(count):
    os.mkdir(at("attributes"))
    for number in range(count):
        path = at("attributes", str(number))
        with open(path, "wb"):
            pass
        for name in range(number % 4 + 1):
            os.setxattr(path, f"user.name-{name}", rng.randbytes(rng.randrange(150)))
    path = at("attributes", "many")
    with open(path, "wb"):
        pass
    for number in range(3000):
        try:
            os.setxattr(path, f"user.attribute-{number}", rng.randbytes(number % 30))
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            break


for step in sys.argv[3:]:
    name, _, argument = step.partition("=")
    {"churn": churn, "forever": forever, "crowd": crowd, "attributes": attributes}[name](*([int(argument)] if argument else []))
