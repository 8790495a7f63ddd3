#!/bin/bash
# Foreign judges of one volume file: e2fsck, dpkg, debsums, and the kernel's own view of the tree.
# usage: judge_volume.sh VOLUME.raw OUT-FOLDER LISTER.py     (root; mounts live in this process's private namespace only)
set -euo pipefail
volume=$1 out=$2 lister=$3
mount --make-rprivate /
mkdir -p "$out"
root=$(mktemp -d)
trap 'umount "$root" 2>/dev/null || true; rmdir "$root"' EXIT

read -r start size < <(sfdisk --json "$volume" | python3 -c '
import json, sys
table = json.load(sys.stdin)["partitiontable"]
largest = max(table["partitions"], key=lambda partition: partition["size"])
print(largest["start"] * table["sectorsize"], largest["size"] * table["sectorsize"])')

# e2fsck wants to see the last mount replayed; an offline patched volume was never mounted since.
set +e
e2fsck -f -n "$volume?offset=$start" >"$out/e2fsck.txt" 2>&1
echo $? >"$out/e2fsck.status"
set -e

mount -o "ro,loop,offset=$start,sizelimit=$size" "$volume" "$root"
python3 "$lister" "$root" >"$out/tree.jsonl"
dpkg --root="$root" --audit >"$out/dpkg-audit.txt" 2>&1 || true
debsums --silent --root="$root" >"$out/debsums.txt" 2>&1 || true
dpkg-query --admindir="$root/var/lib/dpkg" -W -f '${Package}:${Architecture} ${Version} ${db:Status-Abbrev}\n' | sort >"$out/packages.txt"
ldconfig -p -C "$root/etc/ld.so.cache" | sed 1d | sort >"$out/ldconfig.txt"
mkdir -p "$out/records"
tar -C "$root" -c --ignore-failed-read var/lib/dpkg/status var/lib/dpkg/status-old var/lib/apt/extended_states var/cache/debconf \
  etc/passwd etc/passwd- etc/group etc/group- etc/shadow etc/shadow- etc/gshadow etc/gshadow- etc/subuid etc/subgid etc/ld.so.cache 2>/dev/null |
  tar -C "$out/records" -x || true
