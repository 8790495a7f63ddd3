#!/bin/sh
# A small Debian on an ext4 image: what a package manager and shell scripts need, no documentation.
# usage: build_base.sh TREE.tar IMAGE SCRATCH
set -eu
tree=$3/base
mkdir "$tree"
tar --extract --xattrs --xattrs-include='*' --numeric-owner -f "$1" -C "$tree" --exclude='./usr/share/doc/*' --exclude='./usr/share/man/*' \
  --exclude='./usr/share/locale/*' --exclude='./usr/share/zoneinfo/*' --exclude='./usr/share/info/*' --exclude='./usr/share/i18n/*' \
  --exclude='./var/cache/apt/*' --exclude='./var/lib/apt/lists/*' --exclude='./usr/lib/python3*/test/*' \
  --exclude='./usr/lib/systemd/systemd?*' --exclude='./usr/lib/x86_64-linux-gnu/systemd/*' --exclude='./usr/lib/x86_64-linux-gnu/gconv/*'
mkdir -p "$tree/var/cache/apt/archives/partial" "$tree/var/lib/apt/lists/partial" "$tree/etc/app/hooks.d" "$tree/opt/choice"
printf 'deb [trusted=yes] copy:/run/repository ./\n' > "$tree/etc/apt/sources.list"
rm -f "$tree"/etc/apt/sources.list.d/*
printf '#!/bin/sh\nexit 101\n' > "$tree/usr/sbin/policy-rc.d"
chmod 755 "$tree/usr/sbin/policy-rc.d"
printf 'mode=safe\n' > "$tree/etc/app/app.conf"
printf 'LANG=C.UTF-8\n' > "$tree/etc/default/locale"
printf 'echo "first hook"\n' > "$tree/etc/app/hooks.d/10-first"
printf 'small\n' > "$tree/opt/choice/small"
printf 'large\n' > "$tree/opt/choice/large"
ln -s /opt/choice/small "$tree/etc/alternatives/choice"
truncate -s 1G "$2"
mkfs.ext4 -q -O metadata_csum_seed -E lazy_itable_init=1,nodiscard -d "$tree" "$2"
rm -rf --one-file-system "$tree"
