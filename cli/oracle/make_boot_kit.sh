#!/bin/bash
# What the oracle boots machines on logical volumes with: Debian 12's stock cloud kernel, and an initramfs of its own with
# Debian's lvm2. usage: boot-kit.sh FOLDER     (makes FOLDER/vmlinuz and FOLDER/initramfs)
set -euo pipefail
folder=$1
work=$(mktemp -d)
trap 'rm -rf --one-file-system "$work"' EXIT
tree=$work/tree root=$work/root
mmdebstrap --quiet --variant=extract --include=linux-image-cloud-amd64,busybox-static,lvm2 \
  bookworm "$tree" 'deb http://deb.debian.org/debian bookworm main'
version=$(ls "$tree/lib/modules")
depmod --basedir "$tree" "$version"

mkdir -p "$root"/{bin,dev,proc,sys,machine,modules,etc}
cp "$tree/bin/busybox" "$root/bin/"
copy() { mkdir -p "$root/$(dirname "$1")"; cp --dereference "$tree/$1" "$root/$1"; }
copy sbin/lvm
chroot "$tree" /lib64/ld-linux-x86-64.so.2 --list /sbin/lvm | grep -o '/[^ ]*\.so[^ ]*' | sort -u | while read -r library; do copy "$library"; done
for module in virtio_pci virtio_blk dm_mod xfs ext4 vfat nls_cp437 nls_ascii autofs4 binfmt_misc; do
  modprobe --dirname "$tree" --set-version "$version" --show-depends "$module" | sed -n 's/^insmod \([^ ]*\).*/\1/p' | while read -r file; do
    name=$(basename "$file")
    [ -f "$root/modules/$name" ] || { cp "$file" "$root/modules/"; echo "$name" >>"$root/modules/order"; }
  done
done
cp "$(dirname "$0")/initramfs_init.sh" "$root/init"
chmod 755 "$root/init"
(cd "$root" && find . | sort | cpio --quiet --create --format=newc | gzip -1) >"$work/initramfs"
mkdir -p "$folder"
cp "$tree/boot/vmlinuz-$version" "$folder/vmlinuz"
mv "$work/initramfs" "$folder/initramfs"
