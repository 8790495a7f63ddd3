"""Performs filesystem operations through the kernel, as FilesystemWriter defines them. Usage: apply-operations.py ROOT FILE

FILE holds one JSON object a line (FilesystemOperation in filesystem-operations.ts). Prints for each the name of the error
number, or `ok`. Replacing is what rename(2) does with a new file made beside the old one.
"""

import base64
import errno
import json
import os
import stat
import sys

SPARE = b".spare-name-of-the-test"
KINDS = {
    "character-device": stat.S_IFCHR,
    "block-device": stat.S_IFBLK,
    "fifo": stat.S_IFIFO,
    "socket": stat.S_IFSOCK,
}


def spare(path):
    return os.path.join(os.path.dirname(path), SPARE)


def set_metadata(path, metadata):
    for name in os.listxattr(path, follow_symlinks=False):
        # XFS lists an ACL a second time, in the form of the disk; it goes with the first.
        if name not in metadata["xattrs"] and not name.startswith("trusted.SGI_ACL_"):
            os.removexattr(path, name, follow_symlinks=False)
    os.lchown(path, metadata["uid"], metadata["gid"])
    if not os.path.islink(path):
        os.chmod(path, metadata["mode"])
    for name, value in metadata["xattrs"].items():
        os.setxattr(path, name, bytes.fromhex(value), follow_symlinks=False)
    time = int(metadata["mtimeNs"])
    os.utime(path, ns=(time, time), follow_symlinks=False)


def place(root, path, make, metadata=None):
    """Makes something where nothing stands; else under a spare name, and renames it over the path."""
    if path == root + b"/":
        raise OSError(errno.EBUSY, "root")
    if os.path.isdir(path) and not os.path.islink(path):
        raise OSError(errno.EISDIR, "directory")
    new = spare(path) if os.path.lexists(path) else path
    try:
        make(new)
        if metadata is not None:
            set_metadata(new, metadata)
        if new != path:
            os.rename(new, path)
    except OSError:
        if os.path.lexists(new):
            os.unlink(new)
        raise
    if os.path.lexists(spare(path)):
        os.unlink(spare(path))


def write(path, content):
    with open(path, "wb") as file:
        file.write(content)


def content_of(operation):
    if "content" in operation:
        return base64.b64decode(operation["content"])
    # A repeated pattern of a seed: content that differs between files, without long lines of JSON.
    seed = operation["seed"].to_bytes(4, "little")
    length = operation["lengthBytes"]
    return (seed * (length // 4 + 1))[:length]


def perform(root, operation):
    def at(name):
        return root + os.fsencode(name)

    kind = operation["operation"]
    path = at(operation["path"])
    metadata = operation.get("metadata")
    if kind == "writeFile":
        place(root, path, lambda new: write(new, content_of(operation)), metadata)
    elif kind == "symlink":
        place(root, path, lambda new: os.symlink(os.fsencode(operation["target"]), new), metadata)
    elif kind == "link":
        existing = at(operation["existingPath"])
        if os.path.isdir(existing) and not os.path.islink(existing):
            raise OSError(errno.EISDIR, "directory")
        os.lstat(existing)
        place(root, path, lambda new: os.link(existing, new, follow_symlinks=False))
    elif kind == "mknod":
        device = os.makedev(operation["major"], operation["minor"])
        place(root, path, lambda new: os.mknod(new, KINDS[operation["type"]] | 0o600, device), metadata)
    elif kind == "mkdir":
        if not (os.path.isdir(path) and not os.path.islink(path)):
            os.mkdir(path)
        set_metadata(path, metadata)
    elif kind == "remove":
        if os.path.isdir(path) and not os.path.islink(path):
            os.rmdir(path)
        else:
            os.unlink(path)
    elif kind == "setMetadata":
        set_metadata(path, metadata)
    elif kind == "setTime":
        set_time(path, int(operation["mtimeNs"]))


def set_time(path, time):
    """Nothing is done where nothing stands, or where chattr protects what does."""
    try:
        os.utime(path, ns=(time, time), follow_symlinks=False)
    except OSError as error:
        if error.errno not in (errno.ENOENT, errno.ENOTDIR, errno.EPERM):
            raise


def outcome(root, operation):
    try:
        perform(root, operation)
        return "ok"
    except OSError as error:
        return errno.errorcode[error.errno]


if __name__ == "__main__":
    with open(sys.argv[2], encoding="utf-8") as lines:
        for line in lines:
            print(outcome(os.fsencode(sys.argv[1]), json.loads(line)))
