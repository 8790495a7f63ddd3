"""Works on a mounted filesystem so that its journal holds what recovery must get right: several transactions that wrap
a small log, revoked blocks, blocks that begin with the journal's own magic. Usage: dirty-journal.py ROOT ROUNDS

The last thing it does is an fsync: what the journal says is committed, what is written in its place is not.
"""

import os
import random
import struct
import sys

root = sys.argv[1]
rounds = int(sys.argv[2])
rng = random.Random(11)


def at(*names):
    return os.path.join(root, *names)


def put(path, content):
    fd = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o644)
    os.write(fd, content)
    os.close(fd)


def commit():
    """Ends the running transaction: an fsync of a directory waits for its commit block."""
    fd = os.open(root, os.O_RDONLY)
    os.fsync(fd)
    os.close(fd)


magic = struct.pack(">I", 0xC03B3998)
for turn in range(rounds):
    directory = at(f"turn-{turn}")
    os.mkdir(directory)
    for number in range(120):
        put(os.path.join(directory, f"file-{number}-{'n' * (number % 50)}"), rng.randbytes(rng.randrange(200)))
    os.setxattr(os.path.join(directory, "file-1-n"), "user.turn", b"%d" % turn * 60)
    put(os.path.join(directory, "escaped"), (magic + b"\0" * 1020) * 16)
    commit()
    if turn > 1:
        # Directory and attribute blocks are freed and used again for data: their logged copies are revoked.
        gone = at(f"turn-{turn - 2}")
        for name in os.listdir(gone):
            os.unlink(os.path.join(gone, name))
        os.rmdir(gone)
        commit()
        put(at(f"reuses-{turn}"), rng.randbytes(40_000))
        fd = os.open(at(f"reuses-{turn}"), os.O_RDONLY)
        os.fsync(fd)
        os.close(fd)
    if turn % 3 == 0:
        os.rename(at(f"turn-{turn}"), at(f"turn-{turn}-renamed"))
        os.rename(at(f"turn-{turn}-renamed"), at(f"turn-{turn}"))
put(at("last"), b"written in the last transaction")
commit()
