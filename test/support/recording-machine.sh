# A Debian machine of its own systemd on a filesystem of its own, for one script. Runs in namespaces that end with it.
# usage: recording-machine.sh TREE.tar FOLDER    FOLDER: what becomes /root/test, with main.sh; its out/ comes back
set -eu
folder=$2
root=$folder/root
mkdir "$root"
truncate -s 3G "$folder/disk"
mkfs.ext4 -q -E lazy_itable_init=1 "$folder/disk"
mount -o loop "$folder/disk" "$root"
tar --extract --xattrs --xattrs-include='*' --numeric-owner -f "$1" -C "$root"
cp -r "$folder/test" "$root/root/test"
mkdir "$root/root/test/out"
systemd-nspawn --quiet --boot --directory "$root" --machine "recording-$$" --register=no --keep-unit --private-network \
  --console=read-only --resolv-conf=off --timezone=off --link-journal=no >"$folder/console.log" 2>&1 &
nspawn=$!
for _ in $(seq 1 300); do
  leader=$(pgrep -P $nspawn -o || true)
  if [ -n "$leader" ] && nsenter -t "$leader" --all -- systemctl is-system-running 2>/dev/null | grep -q 'running\|degraded'; then break; fi
  sleep 0.2
done
code=0
nsenter -t "$leader" --all -- env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C \
  sh /root/test/main.sh || code=$?
cp -r "$root/root/test/out" "$folder/out"
kill -KILL $nspawn
wait $nspawn || true
umount "$root"
exit $code
