# Gives a machine its identity and what was changed on it by hand.
# usage: with $ROOT (on_machine.sh): HOST-NAME MACHINE-ID FILESYSTEM-UUID CHANGE
echo "$1" > "$ROOT/etc/hostname"
printf '127.0.0.1 localhost\n127.0.1.1 %s.fleet.example.com %s\n' "$1" "$1" > "$ROOT/etc/hosts"
echo "$2" > "$ROOT/etc/machine-id"
printf 'UUID=%s / ext4 errors=remount-ro 0 1\n' "$3" > "$ROOT/etc/fstab"
printf 'booted as %s\n' "$1" > "$ROOT/var/log/boot.log"
eval "$4"
