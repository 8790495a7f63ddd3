"""The operations of an update, with the kernel's semantics: what stands at a path is replaced as rename(2) would."""

import os
import stat

import system

NODES = {
    "character-device": stat.S_IFCHR,
    "block-device": stat.S_IFBLK,
    "fifo": stat.S_IFIFO,
    "socket": stat.S_IFSOCK,
}
TYPES = {
    stat.S_IFREG: "file",
    stat.S_IFDIR: "directory",
    stat.S_IFLNK: "symlink",
    **{kind: name for name, kind in NODES.items()},
}
LARGE_WRITE = 512 << 10
NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class Refused(Exception):
    """An operation that is not the kernel's to refuse, or whose reason its error number does not say."""

    def __init__(self, why, **facts):
        super().__init__(why)
        self.why = why
        self.facts = facts


def found_at(directory, name):
    try:
        return system.statx(directory, name)
    except FileNotFoundError:
        return None


def refuse_protected(found, path):
    if found.immutable:
        raise Refused("protected", path=os.fsdecode(path), flag="immutable")
    if found.append_only:
        raise Refused("protected", path=os.fsdecode(path), flag="append-only")
    if found.sealed:
        raise Refused("protected", path=os.fsdecode(path), flag="sealed by fs-verity")


def make_room(tree, path, kind):
    """Removes what stands at the path, for something of this kind. Returns the place."""
    directory, name = tree.place_to_change(path)
    found = found_at(directory, name)
    if found is not None:
        type_found = TYPES[stat.S_IFMT(found.mode)]
        if type_found == "directory":
            raise Refused("not-replaceable", path=os.fsdecode(path), found=type_found, wanted=kind)
        refuse_protected(found, path)
        os.unlink(name, dir_fd=directory)
    return directory, name


def set_xattrs(target, wanted, follow):
    """Leaves exactly these. What a new inode inherits from its directory (a default ACL) goes."""
    for name in os.listxattr(target, follow_symlinks=follow):
        # XFS lists an ACL a second time, in the form of the disk; it goes with the first.
        if name not in wanted and not name.startswith("trusted.SGI_ACL_"):
            os.removexattr(target, name, follow_symlinks=follow)
    for name, value in wanted.items():
        try:
            os.setxattr(target, name, value, follow_symlinks=follow)
        except OSError as error:
            raise Refused("xattr", name=name, problem=error.strerror) from error


def xattrs_of(operation):
    return {name: bytes.fromhex(value) for name, value in operation["xattrs"]}


def set_metadata_at(tree, path, operation, is_symlink):
    """Owner before all else: a change of owner takes capabilities and set-id bits away. Mode after ACLs, which change it."""
    directory, name = tree.place(path)
    os.chown(name, operation["uid"], operation["gid"], dir_fd=directory, follow_symlinks=False)
    set_xattrs(b"/proc/self/fd/%d/%s" % (directory, name), xattrs_of(operation), False)
    if not is_symlink:
        os.chmod(name, operation["mode"], dir_fd=directory)
    mtime = int(operation["mtime"])
    os.utime(name, ns=(mtime, mtime), dir_fd=directory, follow_symlinks=False)
    tree.time_was_set(path, mtime)


def together(pieces):
    """Fewer and larger pieces: the port gives pages, and a filesystem takes a large write with far less work."""
    gathered = bytearray()
    for piece in pieces:
        gathered += piece
        if len(gathered) >= LARGE_WRITE:
            yield gathered
            gathered = bytearray()
    yield gathered


def put_file(tree, path, operation, content):
    directory, name = make_room(tree, path, "file")
    fd = os.open(name, NEW_FILE, 0o600, dir_fd=directory)
    try:
        for piece in together(content):
            view = memoryview(piece)
            while view:
                view = view[os.write(fd, view) :]
        os.fchown(fd, operation["uid"], operation["gid"])
        set_xattrs(fd, xattrs_of(operation), True)
        os.fchmod(fd, operation["mode"])
        mtime = int(operation["mtime"])
        os.utime(fd, ns=(mtime, mtime))
    finally:
        os.close(fd)


def make_directory(tree, path, operation, _content):
    directory, name = tree.place(path)
    found = found_at(directory, name)
    if found is None:
        directory, name = tree.place_to_change(path)
        os.mkdir(name, 0o700, dir_fd=directory)
    elif not stat.S_ISDIR(found.mode):
        raise Refused(
            "not-replaceable",
            path=os.fsdecode(path),
            found=TYPES[stat.S_IFMT(found.mode)],
            wanted="directory",
        )
    else:
        refuse_protected(found, path)
    set_metadata_at(tree, path, operation, False)


def make_symlink(tree, path, operation, _content):
    directory, name = make_room(tree, path, "symlink")
    os.symlink(os.fsencode(operation["target"]), name, dir_fd=directory)
    set_metadata_at(tree, path, operation, True)


def make_hard_link(tree, path, operation, _content):
    existing = os.fsencode(operation["existing"])
    source_directory, source = tree.place(existing)
    inode = system.statx(source_directory, source)
    if stat.S_ISDIR(inode.mode):
        raise Refused(
            "not-replaceable", path=os.fsdecode(path), found="name", wanted="further name of a directory"
        )
    directory, name = tree.place(path)
    found = found_at(directory, name)
    if found is not None and (found.ino, found.dev_minor) == (inode.ino, inode.dev_minor):
        return
    refuse_protected(inode, existing)
    directory, name = make_room(tree, path, TYPES[stat.S_IFMT(inode.mode)])
    source_directory, source = tree.place(existing)
    os.link(source, name, src_dir_fd=source_directory, dst_dir_fd=directory, follow_symlinks=False)


def make_node(tree, path, operation, _content):
    directory, name = make_room(tree, path, operation["type"])
    device = os.makedev(operation["major"], operation["minor"])
    os.mknod(name, NODES[operation["type"]] | 0o600, device, dir_fd=directory)
    set_metadata_at(tree, path, operation, False)


def remove(tree, path, _operation, _content):
    directory, name = tree.place_to_change(path)
    found = system.statx(directory, name)
    refuse_protected(found, path)
    if stat.S_ISDIR(found.mode):
        tree.forget(path)
        os.rmdir(name, dir_fd=directory)
    else:
        os.unlink(name, dir_fd=directory)


def set_metadata(tree, path, operation, _content):
    directory, name = tree.place(path)
    found = system.statx(directory, name)
    refuse_protected(found, path)
    set_metadata_at(tree, path, operation, stat.S_ISLNK(found.mode))


def set_time(tree, path, operation, _content):
    """Does nothing where nothing stands, or where chattr protects what does."""
    try:
        directory, name = tree.place(path)
        found = system.statx(directory, name)
    except (FileNotFoundError, NotADirectoryError):
        return
    mtime = int(operation["mtime"])
    if found.immutable or found.append_only:
        return
    if found.mtime_ns != mtime:
        system.set_mtime(directory, name, mtime)
    tree.time_was_set(path, mtime)


PERFORM = {
    "put-file": put_file,
    "make-directory": make_directory,
    "make-symlink": make_symlink,
    "make-hard-link": make_hard_link,
    "make-node": make_node,
    "remove": remove,
    "set-metadata": set_metadata,
    "set-time": set_time,
}
