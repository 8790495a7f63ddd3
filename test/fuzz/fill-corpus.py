"""Fills a small filesystem with one of everything that readers have code for. Usage: fill-corpus.py ROOT SCALE"""

import os
import socket
import sys

root, scale = sys.argv[1], int(sys.argv[2])


def at(*names):
    return os.path.join(root, *names)


def put(path, content, mode=0o644):
    with open(path, "wb") as file:
        file.write(content)
    os.chmod(path, mode)


def attribute(path, name, value):
    try:
        os.setxattr(path, name, value)
    except OSError as error:
        print(f"{path} {name}: {error.strerror}", file=sys.stderr)


os.makedirs(at("a", "b", "c"))
put(at("a", "small"), b"small\n", 0o600)
put(at("a", "large"), bytes(range(256)) * 160)
put(at("a", "empty"), b"")
with open(at("comb"), "wb") as file:
    for piece in range(30 * scale):
        file.seek(piece * 8192)
        file.write(b"%d" % piece)
with open(at("hole"), "wb") as file:
    file.truncate(1 << 33)
    file.seek(1 << 32)
    file.write(b"far")
with open(at("reserved"), "wb") as file:
    os.posix_fallocate(file.fileno(), 0, 40960)
os.symlink("short", at("a", "short-link"))
os.symlink("t" * 300, at("a", "long-link"))
os.link(at("a", "small"), at("a", "b", "same"))
os.mkfifo(at("a", "fifo"))
os.mknod(at("a", "null"), 0o20666, os.makedev(1, 3))
socket.socket(socket.AF_UNIX).bind(at("a", "socket"))
os.mkdir(at("many"))
for number in range(60 * scale):
    os.link(at("a", "empty"), at("many", f"{number:04d}-{'n' * 40}"))
os.mkdir(at("few"))
for number in range(12):
    os.link(at("a", "small"), at("few", f"{number}-{'f' * 20}"))
attribute(at("a", "small"), "user.note", b"inside")
attribute(at("a", "small"), "security.capability", bytes.fromhex("0100000200040000000000000000000000000000"))
attribute(at("a", "large"), "user.large", b"v" * 700)
attribute(at("a", "b"), "system.posix_acl_default", bytes.fromhex(
    "02000000" "01000700ffffffff" "02000700e8030000" "04000500ffffffff" "10000700ffffffff" "20000500ffffffff"))
for number in range(4 * scale):
    attribute(at("a", "empty"), f"user.number-{number}", b"v" * 20)
attribute(at("comb"), "user.remote", b"r" * 900)
os.sync()
