"""Fills a mounted XFS with what only XFS has, or has in forms of its own. Usage: fill-xfs.py ROOT [SCALE]

Directories of every form (shortform, block, leaf, node, with extents in a tree), attributes of every form (shortform, leaf,
node, values in blocks of their own), extent trees of two levels, shared and unwritten extents, long symbolic links, inode
chunks with holes. SCALE makes the large ones larger.
"""

import ctypes
import fcntl
import os
import random
import sys

FICLONE = 0x40049409
RENAME_WHITEOUT = 4
root = sys.argv[1]
scale = int(sys.argv[2]) if len(sys.argv) > 2 else 1
rng = random.Random(11)


def at(*names):
    return os.path.join(root, *names)


def put(path, content=b""):
    with open(path, "wb") as file:
        file.write(content)
    return path


def quietly(action, *args):
    """What the geometry of this volume does not allow is left out."""
    try:
        action(*args)
    except OSError:
        pass


def directories():
    for entries in (0, 1, 3, 11, 20, 60, 120, 400, 1500 * scale):
        folder = at(f"directory-{entries}")
        os.mkdir(folder)
        for number in range(entries):
            put(os.path.join(folder, f"{number:x}-{'n' * (number * 7 % 90)}"))
    # Blocks in the middle that became empty are holes.
    for number in range(1500):
        if 300 < number < 1200:
            os.unlink(at(f"directory-{1500 * scale}", f"{number:x}-{'n' * (number * 7 % 90)}"))


def scattered_directory():
    """A directory and a file that grow in turns lie in many runs: its extents need a tree."""
    os.mkdir(at("scattered"))
    with open(at("between"), "wb") as file:
        for number in range(1000 * scale):
            put(at("scattered", f"{number:x>200}"))
            if number % 4 == 0:
                file.write(bytes(4096))
                file.flush()
                os.fsync(file.fileno())


def attributes():
    os.mkdir(at("attributes"))
    for count in (1, 4, 30, 300, 3000):
        path = put(at("attributes", f"count-{count}"))
        for number in range(count):
            quietly(os.setxattr, path, f"user.{number:x}{'-a' * (number % 5)}", b"v" * (number * 3 % 90))
    for length in (0, 1, 200, 255, 256, 1000, 3000, 4000, 20_000, 65_536):
        path = put(at("attributes", f"value-{length}"))
        quietly(os.setxattr, path, "user.value", rng.randbytes(length))
        quietly(os.setxattr, path, "user." + "n" * 250, rng.randbytes(length))
        quietly(os.setxattr, path, "trusted.value", rng.randbytes(length))
    path = put(at("attributes", "removed"))
    for number in range(500):
        os.setxattr(path, f"user.{number}", b"x" * 40)
    for number in range(500):
        if number % 17:
            os.removexattr(path, f"user.{number}")
    path = put(at("attributes", "emptied"))
    for number in range(200):
        os.setxattr(path, f"user.{number}", b"x" * 40)
    for number in range(200):
        os.removexattr(path, f"user.{number}")


def extents():
    with open(at("comb"), "wb") as file:
        for block in range(6000 * scale):
            file.seek(block * 8192)
            file.write(b"%d" % block)
    put(at("origin"), rng.randbytes(400_000))
    for number in range(3):
        with open(at("origin"), "rb") as source, open(at(f"clone-{number}"), "wb") as clone:
            quietly(fcntl.ioctl, clone, FICLONE, source.fileno())
    with open(at("clone-1"), "r+b") as clone:
        clone.seek(100_000)
        clone.write(b"of its own")
    fd = os.open(at("unwritten"), os.O_CREAT | os.O_RDWR)
    os.posix_fallocate(fd, 0, 3_000_000)
    for offset in range(0, 3_000_000, 130_000):
        os.pwrite(fd, b"written", offset)
    os.close(fd)


def symlinks():
    os.mkdir(at("symlinks"))
    for length in (1, 150, 300, 336, 337, 400, 800, 1000, 1023):
        os.symlink("s" * length, at("symlinks", str(length)))
        quietly(lambda path: os.setxattr(path, "trusted.t", b"x" * 300, follow_symlinks=False), at("symlinks", str(length)))


def whiteout():
    put(at("renamed"))
    libc = ctypes.CDLL(None, use_errno=True)
    libc.renameat2(-100, at("renamed").encode(), -100, at("renamed-to").encode(), RENAME_WHITEOUT)


def linked():
    """More links than an attribute block has room for, each a link to the parent where the volume keeps those."""
    put(at("linked"), b"often")
    for folder in range(20):
        os.mkdir(at(f"links-{folder}"))
        for number in range(15):
            os.link(at("linked"), at(f"links-{folder}", f"link-{number}-{'l' * number * 3}"))
    for number in range(0, 15, 2):
        os.unlink(at("links-3", f"link-{number}-{'l' * number * 3}"))


def sparse_chunks():
    """Free space in pieces that no whole chunk of inodes fits into."""
    os.mkdir(at("pieces"))
    space = os.statvfs(root)
    with open(at("most"), "wb") as file:
        os.posix_fallocate(file.fileno(), 0, space.f_bavail * space.f_frsize - 6_000_000)
    number = 0
    try:
        while True:
            put(at("pieces", str(number)), bytes(4096))
            number += 1
    except OSError:
        pass
    os.sync()
    for piece in range(number):
        if piece % 8 != 3:
            continue
        os.unlink(at("pieces", str(piece)))
    os.sync()
    os.mkdir(at("small"))
    for piece in range(1000):
        quietly(put, at("small", str(piece)))


steps = {
    step.__name__: step
    for step in (directories, scattered_directory, attributes, extents, symlinks, whiteout, linked, sparse_chunks)
}
chosen = sys.argv[3:] or [name for name in steps if name != "sparse_chunks"]
for name in chosen:
    steps[name]()
