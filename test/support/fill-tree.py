"""Fills a mounted filesystem with a tree of everything that a reader must get right. Usage: fill-tree.py ROOT [ENTRIES]

ENTRIES is the size of the large directory. What a filesystem refuses (attributes too large for its blocks) is left out:
the listing that is compared later is made from what is really there.
"""

import array
import errno
import fcntl
import os
import random
import socket
import stat
import struct
import sys

FS_IOC_GETFLAGS, FS_IOC_SETFLAGS = 0x80086601, 0x40086602
IMMUTABLE, APPEND = 0x10, 0x20
SECOND = 1_000_000_000

root = os.fsencode(sys.argv[1])
large = int(sys.argv[2]) if len(sys.argv) > 2 else 3000
rng = random.Random(7)


def at(*names):
    return os.path.join(root, *(n if isinstance(n, bytes) else n.encode() for n in names))


def put(path, content=b"", mode=0o644):
    with open(path, "wb") as file:
        file.write(content)
    os.chmod(path, mode)
    return path


def refused(action, *args):
    try:
        action(*args)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EOPNOTSUPP, errno.E2BIG, errno.ERANGE, errno.ENAMETOOLONG):
            raise


def acl(*entries):
    undefined = 0xFFFFFFFF
    return struct.pack("<I", 2) + b"".join(
        struct.pack("<HHI", tag, perm, undefined if who is None else who) for tag, perm, who in entries
    )


def set_flags(path, flags):
    fd = os.open(path, os.O_RDONLY)
    word = array.array("i", [0])
    fcntl.ioctl(fd, FS_IOC_GETFLAGS, word)
    word[0] |= flags
    fcntl.ioctl(fd, FS_IOC_SETFLAGS, word)
    os.close(fd)


def files():
    os.makedirs(at("files", "deep/er/and/deeper"))
    for size in (0, 1, 59, 60, 61, 1023, 1024, 4095, 4096, 4097, 100_000, 3_000_001):
        put(at("files", f"size-{size}"), rng.randbytes(size))
    put(at("files", "deep/er/and/deeper/leaf"), b"leaf\n")
    for name, mode in (("setuid", 0o4755), ("setgid", 0o2711), ("secret", 0o000)):
        put(at("files", name), name.encode(), mode)
    os.chmod(put(at("files", "owned"), b"x"), 0o640)
    os.chown(at("files", "owned"), 100_000, 3_000_000_000)
    os.mkdir(at("files", "sticky"))
    os.chmod(at("files", "sticky"), 0o1777)


def links():
    os.mkdir(at("links"))
    put(at("links", "one"), b"shared")
    os.link(at("links", "one"), at("links", "two"))
    os.link(at("links", "one"), at("files", "three"))
    os.link(at("files", "size-60"), at("links", "sixty"))
    for length in (1, 59, 60, 61, 255, 1000):
        os.symlink(b"t" * length, at("links", f"symlink-{length}"))
    refused(os.symlink, b"t" * 4000, at("links", "symlink-4000"))
    os.symlink("../files/size-1", at("links", "relative"))
    os.symlink(b"\xff\xfe/caf\xe9", at("links", "symlink-bytes"))
    os.link(at("links", "symlink-60"), at("links", "symlink-60-again"))


def sparse():
    os.mkdir(at("sparse"))
    with open(at("sparse", "middle"), "wb") as file:
        file.write(b"start")
        file.seek(5_000_000)
        file.write(b"end")
    with open(at("sparse", "all-hole"), "wb") as file:
        file.truncate(7_777_777)
    with open(at("sparse", "tail-hole"), "wb") as file:
        file.write(rng.randbytes(10_000))
        file.truncate(2_000_000)
    fd = os.open(at("sparse", "unwritten"), os.O_CREAT | os.O_RDWR)
    os.posix_fallocate(fd, 0, 500_000)
    os.pwrite(fd, b"written in the middle", 200_000)
    os.close(fd)
    # Every second block: one extent each, so that the tree grows to several levels.
    with open(at("sparse", "comb"), "wb") as file:
        for block in range(1500):
            file.seek(block * 8192)
            file.write(b"%d" % block)


def nodes():
    os.mkdir(at("nodes"))
    for name, kind, major, minor in (
        ("null", stat.S_IFCHR, 1, 3),
        ("wide", stat.S_IFCHR, 300, 70_000),
        ("disk", stat.S_IFBLK, 8, 1),
        ("edge", stat.S_IFBLK, 255, 256),
    ):
        os.mknod(at("nodes", name), kind | 0o600, os.makedev(major, minor))
    os.mkfifo(at("nodes", "fifo"))
    with socket.socket(socket.AF_UNIX) as server:
        os.chdir(at("nodes"))
        server.bind("socket")


def names():
    os.mkdir(at("names"))
    for name in ("café", "日本語", "with space", "new\nline", "n" * 255, "..three", "-dash", "🦊", "\ufffd"):
        put(at("names", name), name.encode())
    for name in (b"latin-\xe9", b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xf0\x9f\xa6", b"mixed-\xe9-caf\xc3\xa9"):
        put(at("names", name), name)


def attributes():
    os.mkdir(at("attributes"))
    path = put(at("attributes", "small"), b"")
    os.setxattr(path, "user.a", b"b")
    os.setxattr(path, "user.empty", b"")
    path = put(at("attributes", "many"), b"")
    for number in range(12):
        refused(os.setxattr, path, f"user.number-{number}", b"v" * (number * 9))
    refused(os.setxattr, path, "trusted.t", b"\x00\x01\x02")
    refused(os.setxattr, path, "user.large", rng.randbytes(700))
    # Only with ea_inode is there room for these.
    for length in (4_000, 30_000, 65_536):
        refused(os.setxattr, path, f"user.huge-{length}", b"%d" % length * (length // 8) + b"." * (length % 8))
    capability = struct.pack("<IIIII", 0x02000001, 1 << 10, 0, 0, 0)
    os.setxattr(put(at("attributes", "capable"), b"\x7fELF", 0o755), "security.capability", capability)
    os.setxattr(put(at("attributes", "labelled"), b""), "security.selinux", b"system_u:object_r:etc_t:s0\x00")
    path = put(at("attributes", "acl"), b"", 0o664)
    os.setxattr(
        path,
        "system.posix_acl_access",
        acl((1, 6, None), (2, 5, 1000), (2, 7, 70_000), (4, 4, None), (8, 6, 42), (16, 7, None), (32, 4, None)),
    )
    os.mkdir(at("attributes", "inherits"))
    os.setxattr(
        at("attributes", "inherits"),
        "system.posix_acl_default",
        acl((1, 7, None), (2, 7, 33), (4, 5, None), (16, 7, None), (32, 0, None)),
    )
    put(at("attributes", "inherits", "child"), b"")
    for number in range(4):
        shared = put(at("attributes", f"shared-{number}"), b"")
        refused(os.setxattr, shared, "user.shared", b"s" * 300)
    os.symlink("nowhere", at("attributes", "symlink"))
    os.setxattr(at("attributes", "symlink"), "trusted.on-link", b"yes", follow_symlinks=False)
    set_flags(put(at("attributes", "append"), b"log"), APPEND)
    set_flags(put(at("attributes", "immutable"), b"fixed"), IMMUTABLE)


def times():
    os.mkdir(at("times"))
    for name, seconds in (("old", -86_400), ("eve", -1), ("y2038", 2**31 - 1), ("y2040", 2_208_988_800), ("y2200", 7_258_118_400)):
        path = put(at("times", name), b"")
        os.utime(path, ns=(seconds * SECOND, seconds * SECOND + 123_456_789))


def directories():
    os.mkdir(at("large"))
    for number in range(large):
        put(at("large", f"entry-{number:06d}-{'x' * (number % 40)}"))
    os.mkdir(at("thinned"))
    for number in range(large // 2):
        put(at("thinned", f"gone-{number}-{'y' * (number % 30)}"))
    for number in range(0, large // 2):
        if number % 50:
            os.unlink(at("thinned", f"gone-{number}-{'y' * (number % 30)}"))
    os.mkdir(at("many-children"))
    for number in range(200):
        os.mkdir(at("many-children", str(number)))
    os.mkdir(at("moved-from"))
    put(at("moved-from", "file"), b"moved")
    os.rename(at("moved-from"), at("many-children", "7", "moved"))
    for number in range(300):
        put(at("files", f"deleted-{number}"), b"z" * 3000)
    for number in range(300):
        os.unlink(at("files", f"deleted-{number}"))


for step in (files, links, sparse, nodes, names, attributes, times, directories):
    step()
