#!/bin/sh
# Brings the single file of tproxy onto this machine, or takes it away again. It changes nothing else: no
# firewall, no service, no configuration.
#
#   wget -O- URL/install.sh | sh                      or: curl -fsSL URL/install.sh | sh
#   wget -O- URL/install.sh | sh -s -- --uninstall
#
# Options: --to DIR (default: /usr/local/bin where it is in PATH, else /usr/bin), --uninstall, --help.
# TPROXY_URL names another place for the files. It needs a POSIX shell and what BusyBox has.

version='@VERSION@'
base=${TPROXY_URL:-'@URL@'}
base=${base%/}
# KiB of the file, by architecture.
size_x86_64=@SIZE_X86_64@
size_aarch64=@SIZE_AARCH64@

say() { printf '%s\n' "$*"; }
fail() {
  printf 'install.sh: %s\n' "$*" >&2
  exit 1
}

# Everything is a function and the last line calls it: of a script that arrives cut off, nothing is run.
main() {
  action=install
  to=
  while [ $# -gt 0 ]; do
    case $1 in
      --to)
        to=${2:-}
        [ -n "$to" ] || fail "--to wants a directory"
        shift
        ;;
      --uninstall) action=uninstall ;;
      --help | -h) usage; return 0 ;;
      *) fail "there is no option $1; --help lists them" ;;
    esac
    shift
  done
  if [ -z "$to" ]; then
    to=/usr/bin
    case :$PATH: in *:/usr/local/bin:*) [ ! -d /usr/local/bin ] || to=/usr/local/bin ;; esac
  fi
  "$action"
}

usage() {
  say "Usage: install.sh [--to DIR] [--uninstall]"
  say "Brings tproxy $version to DIR (now: /usr/local/bin where it is in PATH, else /usr/bin), or takes it away."
  say "TPROXY_URL: where the files are${base:+; now $base}"
}

install() {
  [ -n "$base" ] || fail "it does not know where the files are: set TPROXY_URL to the directory that has SHA256SUMS"
  detect
  check_pages
  [ -d "$to" ] || fail "there is no directory $to; make it, or name another with --to"
  check_writable
  check_room
  command -v sha256sum >/dev/null || fail "sha256sum is missing (coreutils, or a BusyBox that has it)"

  name=tproxy-$version-linux-$arch
  new=$to/.tproxy.new.$$
  sums=$to/.tproxy.sums.$$
  # At any end half-done files go away, and an older tproxy stays as it was.
  trap 'rm -f "$new" "$sums"' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP

  say "Bringing tproxy $version for $arch from $base …"
  download "$base/SHA256SUMS" "$sums" || fail "cannot bring $base/SHA256SUMS; without it the file cannot be trusted"
  want=
  while read -r sum file; do
    if [ "$file" = "$name" ] || [ "$file" = "*$name" ]; then want=$sum; fi
  done <"$sums"
  [ -n "$want" ] || fail "$base/SHA256SUMS does not list $name; is it another version's?"
  download "$base/$name" "$new" || fail "cannot bring $base/$name"
  have=$(sha256sum "$new") || fail "cannot read what was brought"
  [ "${have%% *}" = "$want" ] ||
    fail "$name arrived damaged or was changed: its SHA-256 is ${have%% *}, SHA256SUMS says $want. Nothing is installed"

  chmod 755 "$new" && mv -f "$new" "$to/tproxy" || fail "cannot write $to/tproxy"
  say "Installed $to/tproxy; nothing is programmed and nothing runs yet. Next:"
  case :$PATH: in *:"$to":*) command=tproxy ;; *) command=$to/tproxy ;; esac
  say "  $command selftest    does this kernel have what it takes?"
  say "  $command doctor      what on this router would stop it, and the remedy"
  say "  $command install     program the kernel, then: $command run"
}

detect() {
  machine=$(uname -m)
  case $(uname -s)-$machine in
    Linux-x86_64 | Linux-amd64) arch=x86_64 size=$size_x86_64 ;;
    Linux-aarch64 | Linux-arm64) arch=aarch64 size=$size_aarch64 ;;
    Linux-*) fail "tproxy is not made for $machine; it is for x86_64 and aarch64" ;;
    *) fail "tproxy is for Linux" ;;
  esac
}

# The runtime cannot run where pages of memory are not 4 KiB.
check_pages() {
  page=$(getconf PAGESIZE 2>/dev/null)
  # Without getconf: the kernel tells each program (AT_PAGESZ is 6; four words of 32 bits an entry).
  [ -n "$page" ] || page=$(hexdump -v -e '4/4 "%u " "\n"' /proc/self/auxv 2>/dev/null | sed -n 's/^6 0 \([0-9]*\) .*/\1/p')
  # Or of its memory, in kB.
  [ -n "$page" ] || {
    page=$(sed -n '/^KernelPageSize:/{s/[^0-9]*\([0-9]*\).*/\1/p;q;}' /proc/self/smaps 2>/dev/null)
    [ -z "$page" ] || page=$((page * 1024))
  }
  case $page in
    '' | 4096) ;; # unknown: tproxy itself looks again
    *)
      fail "this kernel has pages of $page bytes, and the runtime of tproxy needs 4096." \
        "On a Raspberry Pi 5 add the line kernel=kernel8.img to /boot/firmware/config.txt and reboot"
      ;;
  esac
}

check_writable() {
  probe=$to/.tproxy.probe.$$
  if ! (: >"$probe") 2>/dev/null; then
    [ "$(id -u)" = 0 ] || fail "only root can write to $to: try sudo, or another directory with --to"
    fail "cannot write to $to: a read-only file system? Another directory can be named with --to"
  fi
  rm -f "$probe"
}

check_room() {
  free=$(df -Pk "$to" 2>/dev/null | sed -n '2s/^.* \([0-9][0-9]*\)  *[0-9]*% .*$/\1/p')
  [ -z "$free" ] || [ "$free" -ge "$size" ] ||
    fail "$to has room for $free KiB, and tproxy needs $size. Free some, or name another directory with --to"
}

# download URL FILE
download() {
  if command -v curl >/dev/null; then
    curl -fL --progress-bar -o "$2" "$1"
  elif command -v uclient-fetch >/dev/null; then
    uclient-fetch -O "$2" "$1"
  elif command -v wget >/dev/null; then
    wget -O "$2" "$1"
  else
    fail "it needs curl, wget or uclient-fetch"
  fi && return 0
  case $1 in
    https:*) say "install.sh: for https OpenWrt needs the packages ca-bundle and libustream-mbedtls" >&2 ;;
  esac
  return 1
}

uninstall() {
  [ -e "$to/tproxy" ] || fail "there is no $to/tproxy; name its directory with --to"
  check_writable
  if [ "$(id -u)" = 0 ]; then
    "$to/tproxy" uninstall || fail "its rules are still in the kernel, so $to/tproxy stays"
  fi
  rm -f "$to/tproxy"
  # Removes its own files, and none that others may have put there.
  cache=${TPROXY_CACHE_DIR:-/var/cache/tproxy}
  if [ "$(id -u)" = 0 ] && [ -d "$cache" ]; then
    rm -rf "$cache"/runtime-* "$cache"/program-* "$cache"/.unpack-* "$cache"/.trash-* "$cache/.lock"
    rmdir "$cache" 2>/dev/null
  fi
  say "Removed $to/tproxy and what it had unpacked; /etc/tproxy (the configuration) stays."
}

main "$@"
