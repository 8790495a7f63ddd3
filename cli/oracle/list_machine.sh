#!/bin/bash
# What dpkg, debsums and the kernel say of a machine whose filesystems are mounted on ROOT.
# usage: list_machine.sh ROOT OUT-FOLDER LISTER.py
set -euo pipefail
root=$1 out=$2 lister=$3
mkdir -p "$out/records" "$out/initramfs"
python3 "$lister" "$root" >"$out/tree.jsonl"
if [ -e "$root/var/lib/dpkg/status" ]; then
  dpkg --root="$root" --audit >"$out/dpkg-audit.txt" 2>&1 || true
  debsums --silent --root="$root" >"$out/debsums.txt" 2>&1 || true
  dpkg-query --admindir="$root/var/lib/dpkg" -W -f '${Package}:${Architecture} ${Version} ${db:Status-Abbrev}\n' | sort >"$out/packages.txt"
else
  bash "$(dirname "$0")/list_rpm.sh" "$root" "$out"
fi
ldconfig -p -C "$root/etc/ld.so.cache" | sed 1d | sort >"$out/ldconfig.txt"
# An initramfs is an archive: what it holds but for times. After zeros or an early archive comes a compressed one.
for initramfs in "$root"/boot/initrd.img-*; do
  [ -f "$initramfs" ] || continue
  python3 "$(dirname "$0")/list_initramfs.py" "$initramfs" >"$out/initramfs/$(basename "$initramfs")"
done
tar -C "$root" -c --ignore-failed-read var/lib/dpkg/status var/lib/dpkg/status-old var/lib/dpkg/diversions var/lib/dpkg/diversions-old \
  var/lib/dpkg/statoverride var/lib/dpkg/statoverride-old var/lib/apt/extended_states var/cache/debconf \
  etc/passwd etc/passwd- etc/group etc/group- etc/shadow etc/shadow- etc/gshadow etc/gshadow- etc/subuid etc/subgid etc/ld.so.cache 2>/dev/null |
  tar -C "$out/records" -x || true
