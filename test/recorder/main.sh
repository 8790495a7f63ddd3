# What happens on the noisy machine; the expectations are in record-update.disk.ts.
set -eu
cd /root/test
printf '#!/bin/sh\ncp "$4" /root/test/out/"$(basename "$5")"\n' > /usr/local/bin/aws
chmod +x /usr/local/bin/aws

unit() { printf '[Service]\nType=%s\nExecStart=/bin/sh -c "%s"\n' "$2" "$3" > "/etc/systemd/system/$1.service"; }
unit daemon simple 'while :; do cat /etc/daemon.conf > /var/lib/daemon.state; sleep 0.2; done'
unit logger simple 'while :; do date >> /var/lib/logger.state; mv /var/lib/logger.state /var/lib/logger.moved; sleep 0.1; done'
unit noise oneshot 'cat /etc/issue.net > /var/lib/noise.state; date >> /var/lib/noise.log'
printf '[Timer]\nOnActiveSec=0.5\nOnUnitActiveSec=0.5\nAccuracySec=100ms\n' > /etc/systemd/system/noise.timer
echo 1 > /etc/daemon.conf
mkdir -p /etc/old
echo 1 > /etc/old/removed
systemctl daemon-reload
systemctl start daemon logger noise.timer

for name in first second overflow killed plain; do
  code=0
  touch "/run/before-$name"
  sh "./$name.sh" > "out/$name.stdout" 2> "out/$name.stderr" || code=$?
  echo "$code" > "out/$name.code"
  if [ "$name" = second ]; then
    find /etc /usr /var /root /home /opt -xdev -cnewer /run/before-first \( -type f -o -type l \) > out/changed
    ls -d /var/lib/imageelves > out/left 2>/dev/null || true
  fi
done
python3 -IB - > out/grammar <<'P'
import ast
print(ast.parse(open("/root/test/recorder.py").read(), feature_version=(3, 6)) is not None)
P
