"""Lists a mounted filesystem as the kernel shows it, one JSON object a line. Usage: list-tree.py ROOT

Names that are not UTF-8 come out as lone surrogates (surrogateescape), as decodeName makes them.
"""

import array
import errno
import fcntl
import hashlib
import json
import os
import stat
import sys

FS_IOC_GETFLAGS = 0x80086601
KINDS = {
    stat.S_IFREG: "file",
    stat.S_IFDIR: "directory",
    stat.S_IFLNK: "symlink",
    stat.S_IFCHR: "character-device",
    stat.S_IFBLK: "block-device",
    stat.S_IFIFO: "fifo",
    stat.S_IFSOCK: "socket",
}


def digest(path):
    sha256 = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(1 << 20):
            sha256.update(chunk)
    return sha256.hexdigest()


def xattrs(path):
    return {
        key: os.getxattr(path, key, follow_symlinks=False).hex()
        for key in sorted(os.listxattr(path, follow_symlinks=False))
        # XFS shows root an ACL a second time, in the form of the disk.
        if not key.startswith("trusted.SGI_ACL_")
    }


def flags(path):
    fd = os.open(path, os.O_RDONLY)
    word = array.array("i", [0])
    try:
        fcntl.ioctl(fd, FS_IOC_GETFLAGS, word)
    except OSError as error:
        # fuse2fs answers this for files only.
        if error.errno != errno.ENOTTY:
            raise
    os.close(fd)
    return word[0]


def entries(root):
    """What there is, a parent before its children, after the space that is free."""
    space = os.statvfs(root)
    yield {"freeBytes": space.f_bavail * space.f_frsize}
    yield from below(root, b"/", {})


def below(path, name, seen):
    st = os.lstat(path)
    kind = KINDS[stat.S_IFMT(st.st_mode)]
    entry = {
        "path": os.fsdecode(name),
        "inode": st.st_ino,
        "type": kind,
        "mode": stat.S_IMODE(st.st_mode),
        "uid": st.st_uid,
        "gid": st.st_gid,
        "sizeBytes": st.st_size,
        "links": st.st_nlink,
        "mtimeNs": str(st.st_mtime_ns),
        "ctimeNs": str(st.st_ctime_ns),
    }
    # Thousands of names may be one inode: what is costly is looked at once.
    inode = (st.st_dev, st.st_ino)
    if inode not in seen:
        costly = {"xattrs": xattrs(path)}
        if kind == "file":
            costly["sha256"] = digest(path)
        if kind in ("file", "directory"):
            word = flags(path)
            costly["immutable"] = bool(word & 0x10)
            costly["appendOnly"] = bool(word & 0x20)
        seen[inode] = costly
    entry.update(seen[inode])
    if kind == "symlink":
        entry["target"] = os.fsdecode(os.readlink(path))
    if kind.endswith("device"):
        entry["device"] = f"{os.major(st.st_rdev)}:{os.minor(st.st_rdev)}"
    yield entry
    if kind == "directory":
        for child in sorted(os.listdir(path)):
            yield from below(os.path.join(path, child), (name if name != b"/" else b"") + b"/" + child, seen)


if __name__ == "__main__":
    for found in entries(os.fsencode(sys.argv[1])):
        print(json.dumps(found))
