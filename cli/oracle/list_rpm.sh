#!/bin/bash
# What rpm and SQLite say of a machine of rpm and dnf that is mounted read-only on ROOT, in the files that list_machine.sh
# writes for a machine of dpkg. usage: list_rpm.sh ROOT OUT-FOLDER
set -euo pipefail
root=$1 out=$2
rpmdb=/usr/lib/sysimage/rpm history=/var/lib/dnf
# SQLite opens a database with a write-ahead log for writing, so copies of both are laid over them.
for folder in "$rpmdb" "$history"; do
  copy=$(mktemp -d)
  cp "$root$folder"/*.sqlite* "$copy/"
  mount -t tmpfs tmpfs "$root$folder"
  cp "$copy"/* "$root$folder/"
  rm -r "$copy"
done
trap 'umount "$root$rpmdb" "$root$history"' EXIT
rpm() { command rpm --root "$root" --dbpath "$rpmdb" "$@"; }
rpm --verifydb >"$out/dpkg-audit.txt" 2>&1 || true
for database in "$rpmdb/rpmdb.sqlite" "$history/history.sqlite"; do
  sqlite3 "$root$database" 'PRAGMA integrity_check; PRAGMA foreign_key_check' | { grep -v '^ok$' || true; } >>"$out/dpkg-audit.txt"
done
rpm -Va >"$out/debsums.txt" 2>&1 || true
rpm -qa | sort >"$out/packages.txt"
# Every tag of every header but for those of the run: when, and in which transaction, it was installed.
rpm -qa | sort | while read -r package; do
  rpm -q --xml "$package"
done | sed -E '/<rpmTag name="(Installtime|Installtid|Dbinstance)">/,/<\/rpmTag>/d' >"$out/records/rpmdb"
sqlite3 "$root$history/history.sqlite" >"$out/records/history" <<'END'
SELECT ti.trans_id, t.state, name, epoch, version, release, arch, repoid, action, reason, ti.state
FROM trans_item ti JOIN trans t ON t.id = ti.trans_id JOIN rpm USING (item_id) JOIN repo ON repo.id = ti.repo_id ORDER BY 1, 3, 9;
SELECT a.trans_id, a.action, x.name, x.version, b.action, y.name, y.version
FROM item_replaced_by r JOIN trans_item a ON a.id = r.trans_item_id JOIN trans_item b ON b.id = r.by_trans_item_id
JOIN rpm x ON x.item_id = a.item_id JOIN rpm y ON y.item_id = b.item_id ORDER BY 1, 3;
END
