#!/bin/sh
# Tears a laboratory down: guard.sh DIRECTORY NAMESPACE... ; further namespaces are named on its standard
# input. It waits for the end of its standard input, a pipe from the test. That end comes when the test closes
# the laboratory, and also when the test process dies, however it dies: so nothing is left behind after Ctrl-C
# or kill -9.
trap '' INT TERM HUP
directory=$1
shift
further=$(cat)
for namespace in "$@" $further; do
  for attempt in 1 2 3 4 5; do
    pids=$(ip netns pids "$namespace" 2>/dev/null)
    [ -n "$pids" ] || break
    kill -KILL $pids 2>/dev/null
    sleep 0.02
  done
  ip netns delete "$namespace" 2>/dev/null
done
rm -rf "$directory"
