"""Lists a mounted tree as the kernel shows it: one JSON object a line, sorted by path. Argument: the root of the tree, on which all
filesystems of the machine are mounted and nothing else."""
import hashlib
import json
import os
import stat
import sys

TYPES = {
    stat.S_IFREG: "file",
    stat.S_IFDIR: "directory",
    stat.S_IFLNK: "symlink",
    stat.S_IFCHR: "character-device",
    stat.S_IFBLK: "block-device",
    stat.S_IFIFO: "fifo",
    stat.S_IFSOCK: "socket",
}


def digest(path):
    sha = hashlib.sha256()
    with open(path, "rb") as content:
        while chunk := content.read(1 << 20):
            sha.update(chunk)
    return sha.hexdigest()


def describe(path, shown):
    status = os.lstat(path)
    kind = TYPES[stat.S_IFMT(status.st_mode)]
    entry = {
        "path": shown,
        "type": kind,
        "mode": stat.S_IMODE(status.st_mode),
        "uid": status.st_uid,
        "gid": status.st_gid,
        "inode": f"{status.st_dev}:{status.st_ino}",
        "mtime": status.st_mtime_ns,
        "xattrs": {
            name: os.getxattr(path, name, follow_symlinks=False).hex()
            for name in sorted(os.listxattr(path, follow_symlinks=False))
        },
    }
    if kind == "file":
        entry["links"] = status.st_nlink
        entry["content"] = digest(path)
    elif kind == "symlink":
        entry["content"] = os.readlink(path)
    elif kind.endswith("-device"):
        entry["content"] = f"{os.major(status.st_rdev)}:{os.minor(status.st_rdev)}"
    return entry


def walk(root):
    paths = [root]
    for folder, folders, files in os.walk(root):
        paths.extend(os.path.join(folder, name) for name in folders + files)
    return sorted(paths)


root = os.path.abspath(sys.argv[1])
for path in walk(root):
    print(json.dumps(describe(path, path[len(root):] or "/"), sort_keys=True))
