# Functions for steps (`. /modules.sh`): a kernel that lacks a module.

# unload: every module goes that nobody uses, and then those that only these used.
unload() {
  local turn=0 name
  while [ $turn -lt 8 ]; do
    for name in $(awk '$3 == 0 { print $1 }' /proc/modules); do
      case $name in virtio* | dummy) ;; *) rmmod "$name" 2>/dev/null ;; esac
    done
    turn=$((turn + 1))
  done
}

# without NAME: nothing is loaded, and the module's file is gone. "-": only unloads.
without() {
  unload
  [ "$1" = - ] || mv "/lib/modules/$(uname -r)/kernel/$1.ko" /hidden.ko
}

# restore NAME: it is there again.
restore() { [ "$1" = - ] || mv /hidden.ko "/lib/modules/$(uname -r)/kernel/$1.ko"; }

# Prints the state that an install adds to: it must not change where install refuses. A module that is not
# loaded holds nothing.
state() {
  for family in -4 -6; do
    ip $family rule
    ip $family route show table all
  done
  [ ! -d /sys/module/nf_tables ] || nft list ruleset
  [ ! -d /sys/module/ip_tables ] || iptables-legacy-save | grep -E '^-A|^:TPROXY'
  [ ! -d /sys/module/ip6_tables ] || ip6tables-legacy-save | grep -E '^-A|^:TPROXY'
}

# try CONFIG: doctor and install, and whether install has left something.
try() {
  state >/tmp/before
  tproxy doctor --json -c "$1" >/tmp/doctor 2>/tmp/trouble
  echo "doctor: $?"
  tproxy install -c "$1" >/tmp/install 2>&1
  echo "install: $?"
  state >/tmp/after
  diff /tmp/before /tmp/after >/tmp/difference && echo "state: unchanged" || echo "state: changed"
  cat /tmp/difference
  echo "---"
  cat /tmp/install
  echo "---"
  cat /tmp/doctor
}
