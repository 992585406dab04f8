# Process 1 of a box: ROOT. Makes ROOT the root of a mount namespace of its own, then becomes systemd.
set -e
root=$1
mount --make-rprivate /
mount --bind "$root" "$root"
cd "$root"
mount -t proc proc proc
mount -t sysfs sys sys
mount -t cgroup2 cgroup sys/fs/cgroup
mount -t tmpfs dev dev
for device in null zero full random urandom tty; do
  : >"dev/$device"
  mount --bind "/dev/$device" "dev/$device"
done
mkdir dev/pts dev/shm
ln -s pts/ptmx dev/ptmx
mount -t devpts -o newinstance pts dev/pts
mount -t tmpfs shm dev/shm
mount -t tmpfs run run
mkdir -p old
pivot_root . old
umount -l old
exec env -i container=box PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd \
  --log-target=console --show-status=0 --default-standard-output=inherit
