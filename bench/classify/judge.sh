#!/bin/sh
# Runs judge.py on two images, mounted read-only in a namespace of their own.
# usage: judge.sh BEFORE-IMAGE AFTER-IMAGE
set -eu
folder=$(mktemp -d /tmp/judge.XXXXXX)
mkdir "$folder/before" "$folder/after"
# An engine leaves no journal to be replayed; what a kernel wrote was unmounted.
mount -o loop,ro,noload "$1" "$folder/before"
mount -o loop,ro,noload "$2" "$folder/after"
code=0
python3 "$(dirname "$0")/judge.py" "$folder/before" "$folder/after" || code=$?
umount "$folder/before" "$folder/after"
rmdir "$folder/before" "$folder/after" "$folder"
exit $code
