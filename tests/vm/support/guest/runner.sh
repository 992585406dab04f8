#!/bin/busybox sh
# Runs what the test sends over the port "control", one step a line: a nonce, seconds, and the script in
# base64. Answers with what the script prints, and "@@ exit NONCE CODE". When the test has gone, the machine
# ends.
port=
while [ -z "$port" ]; do
  for directory in /sys/class/virtio-ports/*; do
    [ "$(cat "$directory/name" 2>/dev/null)" = control ] && port=/dev/${directory##*/}
  done
  [ -n "$port" ] || sleep 0.1
done
exec 3<>"$port"
read -r up idle </proc/uptime
echo "@@ ready $up" >&3
while read -r nonce seconds script <&3; do
  echo "$script" | base64 -d >/run/vm/step
  timeout -k 5 "$seconds" sh /run/vm/step </dev/null >&3 2>&3
  printf '\n@@ exit %s %s\n' "$nonce" $? >&3
done
sync
reboot -f
