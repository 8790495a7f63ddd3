"""Lists what an initramfs holds, but for times and inode numbers: one line an entry, sorted. Argument: the file. It may begin with archives
that are not compressed (microcode); what follows is decompressed by its tool. Format: newc, see cpio(5) and the kernel's
Documentation/driver-api/early-userspace/buffer-format.rst."""
import hashlib
import subprocess
import sys

MAGIC = b"070701"
TOOLS = {b"\x28\xb5\x2f\xfd": ["zstd", "-dc"], b"\x1f\x8b": ["gzip", "-dc"], b"\xfd7zXZ": ["xz", "-dc"], b"\x02\x21\x4c\x18": ["lz4", "-dc"]}


def entries(data, at):
    """Entries of one archive, and where it ends."""
    found = []
    while True:
        if data[at : at + 6] != MAGIC:
            raise SystemExit(f"no newc entry at {at}")
        fields = [int(data[at + 6 + 8 * i : at + 14 + 8 * i], 16) for i in range(13)]
        mode, uid, gid, size, major, minor, length = fields[1], fields[2], fields[3], fields[6], fields[9], fields[10], fields[11]
        name = data[at + 110 : at + 109 + length].decode("utf-8", "surrogateescape")
        start = (at + 110 + length + 3) & ~3
        at = (start + size + 3) & ~3
        if name == "TRAILER!!!":
            return found, at
        content = hashlib.sha256(data[start : start + size]).hexdigest()
        found.append(f"{name!r} {mode:o} {uid}:{gid} {major}:{minor} {size} {content}")


data = open(sys.argv[1], "rb").read()
at = 0
lines = []
while at < len(data):
    if data[at] == 0:
        at += 1
        continue
    if data[at : at + 6] == MAGIC:
        found, at = entries(data, at)
        lines += found
        continue
    tool = next((tool for magic, tool in TOOLS.items() if data[at:].startswith(magic)), None)
    if tool is None:
        raise SystemExit(f"unknown compression at {at}: {data[at:at + 4].hex()}")
    data, at = subprocess.run(tool, input=data[at:], stdout=subprocess.PIPE, check=True).stdout, 0
print("\n".join(sorted(lines)))
