"""Prints how many blocks differ between two sparse files. Usage: differing-blocks.py BLOCK_BYTES ONE OTHER"""

import os
import sys

size = int(sys.argv[1])


def blocks_with_data(file):
    """Indexes of the blocks that are not wholly in a hole."""
    found, at, end = set(), 0, os.fstat(file.fileno()).st_size
    while at < end:
        try:
            at = os.lseek(file.fileno(), at, os.SEEK_DATA)
        except OSError:
            break
        stop = os.lseek(file.fileno(), at, os.SEEK_HOLE)
        found.update(range(at // size, (stop + size - 1) // size))
        at = stop
    return found


def block(file, index):
    return os.pread(file.fileno(), size, index * size)


with open(sys.argv[2], "rb") as one, open(sys.argv[3], "rb") as other:
    candidates = blocks_with_data(one) | blocks_with_data(other)
    print(sum(block(one, index) != block(other, index) for index in candidates))
