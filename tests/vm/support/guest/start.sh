#!/bin/busybox sh
# Process 1 in the final root: starts the runner beside whatever is to be process 1 (/vm/init), or reaps
# itself.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root
[ -e /bin/sh ] || /bin/busybox --install -s /bin
mkdir -p /dev/pts /dev/shm
mount -t devpts pts /dev/pts
mount -t tmpfs tmp /tmp
ip link set lo up
/run/vm/runner.sh >/dev/console 2>&1 &
[ -e /run/vm/init ] && exec "$(cat /run/vm/init)"
# A trap keeps nothing: without one, process 1 ignores signals anyway.
while :; do
  sleep 3600 &
  wait $!
done
