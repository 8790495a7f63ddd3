"""Picks files of this machine that look like a server's packages, and an update of some of them.

Usage: machine-tree.py FOLDER. Writes FOLDER/tree.txt, the files that exist before (about 200 MB), and FOLDER/new, a tree
with new content for about 900 of them (directory by directory, as packages have it), listed in FOLDER/replaced.txt.
"""

import hashlib
import os
import random
import stat
import sys

folder = sys.argv[1]
ROOTS = ("/usr/lib", "/usr/share", "/usr/bin", "/etc")
MOST_BYTES_EACH = 70_000_000
MOST_FILE_BYTES = 6_000_000
REPLACED_FILES, REPLACED_BYTES, REPLACED_IN_ONE_DIRECTORY = 900, 30_000_000, 60


def order(text):
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest()


def files_of(root):
    """Directories in an order that mixes them, each with its files, up to a size."""
    directories = sorted((d for d, _, _ in os.walk(root)), key=order)
    taken = 0
    for directory in directories:
        for name in sorted(os.listdir(directory)):
            path = os.path.join(directory, name)
            status = os.lstat(path)
            if not stat.S_ISREG(status.st_mode) or status.st_size > MOST_FILE_BYTES or "\n" in path:
                continue
            if taken + status.st_size > MOST_BYTES_EACH:
                return
            taken += status.st_size
            yield directory, path, status.st_size


rng = random.Random(3)
tree, replaced, size = [], [], 0
in_directory = {}
for root in ROOTS:
    for directory, path, length in files_of(root):
        tree.append(path)
        in_directory.setdefault(directory, []).append((path, length))
for directory in sorted(in_directory, key=lambda name: order(name + "update")):
    for path, length in in_directory[directory][:REPLACED_IN_ONE_DIRECTORY]:
        if len(replaced) == REPLACED_FILES or size + length > REPLACED_BYTES:
            continue
        replaced.append(path)
        size += length
        target = os.path.join(folder, "new" + path)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, "wb") as file:
            file.write(rng.randbytes(int(length * rng.uniform(0.9, 1.1))))
with open(os.path.join(folder, "tree.txt"), "w", errors="surrogateescape") as file:
    file.write("\n".join(tree) + "\n")
with open(os.path.join(folder, "replaced.txt"), "w", errors="surrogateescape") as file:
    file.write("\n".join(replaced) + "\n")
print(len(tree), len(replaced), size)
