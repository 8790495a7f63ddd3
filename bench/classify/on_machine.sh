#!/bin/sh
# Mounts a machine's image and runs a script with $ROOT; in namespaces of its own that end with it.
# usage: on_machine.sh IMAGE SCRIPT [ARGUMENT...]    with $REPOSITORY, it is at /run/repository in there
set -eu
image=$1 script=$2
shift 2
ROOT=$(mktemp -d /tmp/machine.XXXXXX)
export ROOT
mount -o loop "$image" "$ROOT"
mount -t tmpfs tmpfs "$ROOT/run"
mount -t tmpfs tmpfs "$ROOT/tmp"
mount -t proc proc "$ROOT/proc"
mount -t devtmpfs devtmpfs "$ROOT/dev" 2>/dev/null || mount --bind /dev "$ROOT/dev"
if [ -n "${REPOSITORY:-}" ]; then cp -r "$REPOSITORY" "$ROOT/run/repository"; fi
code=0
sh -eu -c "$script" sh "$@" || code=$?
umount "$ROOT/dev" "$ROOT/proc" "$ROOT/tmp" "$ROOT/run" "$ROOT"
rmdir "$ROOT"
exit $code
