"""
What was done to a machine, as the kernel shows it: every entry that is not as it was before, one JSON object a line.

usage: judge.py BEFORE AFTER    two mounted trees; AFTER was a copy of BEFORE, so that an entry whose inode, size and time of
                                change are the same has not changed
"""
import hashlib
import json
import os
import stat
import subprocess
import sys

LARGEST_TEXT = 16384
# Files that are tables: the order of their lines is the machine's own.
TABLES = ("/var/lib/dpkg/status", "/var/lib/dpkg/available", "/var/lib/apt/extended_states", "/var/lib/dpkg/diversions",
          "/etc/shells",
          *("/etc/%s%s" % (name, end) for name in ("passwd", "group", "shadow", "gshadow", "subuid", "subgid") for end in ("", "-")))


def names_of(root, table):
    names = {}
    with open(root + table) as lines:
        for line in lines:
            fields = line.split(":")
            names.setdefault(int(fields[2]), fields[0])
    return names


def walk(root):
    found = {"/": os.lstat(root)}
    for folder, folders, files in os.walk(root):
        for name in folders + files:
            path = os.path.join(folder, name)
            found[path[len(root):]] = os.lstat(path)
    return found


def version(status):
    return (status.st_ino, status.st_size, status.st_ctime_ns)


def content_of(root, path, status, known):
    """Of a table the lines that are new and those that are gone; else the text, or its digest."""
    full = root + path
    kind = stat.S_IFMT(status.st_mode)
    if kind == stat.S_IFLNK:
        return {"content": os.readlink(full)}
    if kind != stat.S_IFREG:
        return {"content": str(status.st_rdev)} if kind in (stat.S_IFCHR, stat.S_IFBLK) else {}
    if path == "/etc/ld.so.cache":
        printed = subprocess.run(["ldconfig", "-p", "-C", full], capture_output=True, check=True).stdout
        return {"content": hashlib.sha256(b"\n".join(sorted(printed.split(b"\n")[1:]))).hexdigest()}
    with open(full, "rb") as file:
        data = file.read()
    entry = {"content": hashlib.sha256(data).hexdigest()}
    if path in TABLES:
        lines = data.decode("utf-8", "surrogateescape").split("\n")
        entry["content"] = hashlib.sha256("\n".join(sorted(lines)).encode("utf-8", "surrogateescape")).hexdigest()
        old = known(path)
        entry["added"], entry["gone"] = rest(lines, old), rest(old, lines)
    elif len(data) <= LARGEST_TEXT and b"\0" not in data:
        entry["text"] = data.decode("utf-8", "replace")
    return entry


def rest(lines, others):
    left = list(others)
    more = []
    for line in lines:
        if line in left:
            left.remove(line)
        else:
            more.append(line)
    return more


def main(before, after):
    old, new = walk(before), walk(after)
    users, groups = names_of(after, "/etc/passwd"), names_of(after, "/etc/group")

    def known(path):
        if path not in old:
            return []
        with open(before + path, "rb") as file:
            return file.read().decode("utf-8", "surrogateescape").split("\n")

    for path in sorted(set(old) | set(new)):
        if path not in new:
            print(json.dumps({"path": path, "type": "absent"}))
            continue
        status = new[path]
        if path in old and version(old[path]) == version(status):
            continue
        entry = {
            "path": path,
            "type": oct(stat.S_IFMT(status.st_mode)),
            "mode": stat.S_IMODE(status.st_mode),
            "uid": status.st_uid,
            "gid": status.st_gid,
            "owner": "%s:%s" % (users.get(status.st_uid, status.st_uid), groups.get(status.st_gid, status.st_gid)),
            "xattrs": {name: os.getxattr(after + path, name, follow_symlinks=False).hex()
                       for name in os.listxattr(after + path, follow_symlinks=False)},
            **content_of(after, path, status, known),
        }
        print(json.dumps(entry))


main(os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2]))
