#!/bin/sh
# The packages of the bench's fleet in two versions, and an apt repository of them.
# usage: build_packages.sh FOLDER    makes FOLDER/1 and FOLDER/2 (a flat repository each)
set -eu
folder=$1

# usage: begin NAME VERSION [control lines]; leaves the tree in $tree
begin() {
  name=$1 version=$2
  tree=$folder/tree
  rm -rf --one-file-system "$tree"
  mkdir -p "$tree/DEBIAN"
  printf 'Package: %s\nVersion: %s\nArchitecture: all\nMaintainer: Bench <bench@example.com>\nSection: admin\nPriority: optional\n%sDescription: package of the bench\n' \
    "$name" "$version" "${3:-}" > "$tree/DEBIAN/control"
}
# usage: file PATH MODE    content from standard input
file() {
  mkdir -p "$tree/$(dirname "$1")"
  cat > "$tree/$1"
  chmod "$2" "$tree/$1"
}
conffile() { file "$1" 644; echo "/$1" >> "$tree/DEBIAN/conffiles"; }
script() { file "DEBIAN/$1" 755; }
end() {
  (cd "$tree" && find . -type f ! -path './DEBIAN/*' -printf '%P\0' | sort -z | xargs -0r md5sum > DEBIAN/md5sums)
  find "$tree" -exec touch -d "2026-01-0$version 12:00" {} +
  mkdir -p "$folder/$version"
  dpkg-deb --root-owner-group -Znone -b "$tree" "$folder/$version/${name}_$version.deb" > /dev/null
}

for v in 1 2; do
  begin bench-alpha $v
  printf '#!/bin/sh\necho alpha %s\n' $v | file usr/bin/alpha 755
  seq $v $((v + 300)) | file usr/share/alpha/data 644
  printf 'the same in every version\n' | file usr/share/alpha/constant 644
  printf 'level=%s\ncolour=blue\n' $v | conffile etc/alpha.conf
  end

  # Its index is made of what lies in a folder that people add files to.
  begin bench-beta $v
  printf '#!/bin/sh\necho beta %s\n' $v | file usr/bin/beta 755
  printf 'default=%s\n' $v | conffile etc/beta.d/00-default.conf
  printf '#!/bin/sh\nset -e\nmkdir -p /var/lib/beta\ncat /etc/beta.d/*.conf > /var/lib/beta/index\necho made by %s >> /var/lib/beta/index\n' $v | script postinst
  printf '#!/bin/sh\nif [ "$1" = purge ]; then rm -rf /var/lib/beta; fi\n' | script postrm
  end

  # Its second version has a user of its own.
  begin bench-gamma $v 'Depends: adduser
'
  printf '#!/bin/sh\necho gamma %s\n' $v | file usr/bin/gamma 755
  if [ $v = 2 ]; then
    printf '#!/bin/sh\nset -e\nadduser --quiet --system --group --home /var/lib/gamma gammad\necho ready > /var/lib/gamma/state\nchown gammad:gammad /var/lib/gamma/state\n' | script postinst
  fi
  end

  # Its second version needs another package.
  if [ $v = 2 ]; then begin bench-delta $v 'Depends: bench-epsilon
'; else begin bench-delta $v; fi
  printf '#!/bin/sh\necho delta %s\n' $v | file usr/bin/delta 755
  end
done
begin bench-epsilon 2
printf 'epsilon\n' | file usr/share/epsilon/data 644
end
for n in 1 2 3; do
  begin bench-extra$n 1
  seq $((n * 1000)) | file usr/share/extra$n/data 644
  printf '#!/bin/sh\necho extra %s\n' $n | file usr/bin/extra$n 755
  end
done

rm -rf --one-file-system "$tree"
cd "$folder/2"
for deb in *.deb; do
  dpkg-deb -f "$deb"
  printf 'Filename: ./%s\nSize: %s\nSHA256: %s\n\n' "$deb" "$(stat -c %s "$deb")" "$(sha256sum < "$deb" | cut -d' ' -f1)"
done > Packages
{
  printf 'Origin: Bench\nLabel: Bench-Security\nSuite: stable-security\nCodename: bench-security\nDate: Thu, 01 Jan 2026 00:00:00 UTC\nSHA256:\n'
  printf ' %s %s Packages\n' "$(sha256sum < Packages | cut -d' ' -f1)" "$(stat -c %s Packages)"
} > Release
