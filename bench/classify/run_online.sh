# Runs an update's script on a machine as Run Command would, by /bin/sh of the machine alone: nothing of the host is mounted.
# usage: with $ROOT (on_machine.sh): SCRIPT OUTPUT RECORDING
script=$1 output=$2 recording=$3
mkdir "$ROOT/run/bench"
cp "$script" "$ROOT/run/bench/update"
printf '#!/bin/sh\ncp "$4" /run/bench/recording\n' > "$ROOT/run/bench/aws"
chmod 755 "$ROOT/run/bench/aws"
code=0
# With the machine's root as the root of all mounts, what the host does is not there to be recorded.
unshare --mount --propagation private sh -euc '
  cd "$ROOT"; mkdir run/old; pivot_root . run/old
  exec chroot . sh -euc "umount -l /run/old; exec env -i PATH=/run/bench:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C sh /run/bench/update"
' > "$output" 2> "$output.errors" </dev/null || code=$?
if [ -e "$ROOT/run/bench/recording" ]; then cp "$ROOT/run/bench/recording" "$recording"; fi
echo "$code"
