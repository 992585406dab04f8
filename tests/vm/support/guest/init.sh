#!/bin/busybox sh
# The first process of a machine: loads the modules, finds the root, hands over to start.sh. /vm/modules: one
# file name a line, in order. /vm/root: options of mount for the disk; not there: memory is the root.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
/bin/busybox --install -s /bin
mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sys /sys
while read -r module; do
  insmod "/lib/modules/$module" || echo "insmod $module: failed" >/dev/console
done </vm/modules
if [ ! -e /vm/root ]; then
  mount -t tmpfs run /run
  cp -a /vm /run/
  exec /run/vm/start.sh
fi
mkdir /root.new
for attempt in 1 2 3 4 5 6 7 8 9 10; do
  [ -e /dev/vda ] && break
  sleep 0.3
done
# shellcheck disable=SC2046 # several words
mount -t ext4 -o $(cat /vm/root) /dev/vda /root.new || echo "there is no root" >/dev/console
mount -t tmpfs run /root.new/run
cp -a /vm /root.new/run/
mount --move /dev /root.new/dev
mount --move /proc /root.new/proc
mount --move /sys /root.new/sys
exec switch_root /root.new /run/vm/start.sh
