#!/bin/busybox sh
# First program of a machine that the oracle boots: activates its volume groups, mounts its root and what else its fstab
# wants early, adds a unit in /run that reports once multi-user.target is reached, and hands over to the machine's own systemd.
set -e
PATH=/bin:/sbin
/bin/busybox --install -s /bin
# What goes wrong here ends the machine; the console says what it was.
trap 'echo "the initramfs failed"; poweroff -f' EXIT
mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sys /sys
while read -r module; do insmod "/modules/$module" || echo "no $module"; done </modules/order
word() { sed -n "s|.*\\b$1=\\([^ ]*\\).*|\\1|p" /proc/cmdline; }
tries=0
until [ -b /dev/vda ] || [ $tries -eq 100 ]; do sleep 0.1; tries=$((tries + 1)); done
# No udev runs yet: lvm2 makes the device nodes itself.
lvm vgchange --activate y --sysinit --config 'activation{udev_sync=0 udev_rules=0}'
mount "$(word root)" /machine
while read -r source point kind options rest; do
  case ",$options," in *,x-initrd.mount,*) mount -t "$kind" "$source" "/machine$point" ;; esac
done </machine/etc/fstab
mount -t tmpfs -o mode=0755 tmpfs /machine/run
mkdir -p /machine/run/systemd/system/multi-user.target.wants
cat >/machine/run/oracle-report <<'REPORT'
{
  for unit in multi-user.target "$@"; do echo "unit $unit $(systemctl is-active "$unit")"; done
  systemctl --plain --no-legend --state=failed list-units | sed 's/^/failed /'
  sed 's/^/mount /' /proc/mounts
  dpkg-query -W -f '${Package}:${Architecture} ${Version} ${db:Status-Abbrev}\n' | sort | sed 's/^/package /'
  echo end
} >/dev/ttyS1
systemctl poweroff --force --force
REPORT
cat >/machine/run/systemd/system/oracle-report.service <<UNIT
[Unit]
Description=What the oracle asks
After=multi-user.target
[Service]
Type=oneshot
ExecStart=/bin/sh /run/oracle-report $(word oracle.units | tr , ' ')
UNIT
ln -s ../oracle-report.service /machine/run/systemd/system/multi-user.target.wants/
for folder in dev proc sys; do mount --move "/$folder" "/machine/$folder"; done
exec switch_root /machine /sbin/init
