#!/bin/sh
# Drops every packet that reaches one end of a veth pair, shows it with ping, and takes everything away again.
# Needs root, clang, iproute2 and ping. Touches nothing but two network namespaces of its own.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
if [ -x "$here/../../bin/netkit.js" ]; then
  netkit=$here/../../bin/netkit.js
else
  netkit=netkit
fi
if [ "$(id -u)" != 0 ]; then
  echo "run.sh: making network namespaces needs root" >&2
  exit 4
fi

sender=nk-drop-all-$$-a
receiver=nk-drop-all-$$-b
name=drop-all-$$
object=
loaded=

clean_up() {
  status=$?
  trap - EXIT INT TERM
  [ -z "$loaded" ] || "$netkit" unload "$name" --if-exists || status=1
  ip netns del "$sender" 2>/dev/null || true
  ip netns del "$receiver" 2>/dev/null || true
  [ -z "$object" ] || rm -f "$object"
  exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

show() {
  echo "\$ netkit $*"
  "$netkit" "$@"
}

received() {
  LC_ALL=C ip netns exec "$sender" ping -n -c 3 -i 0.2 -W 1 192.0.2.2 | sed -n 's/.* \([0-9][0-9]*\) received.*/\1/p'
}

expect() {
  answers=$(received)
  echo "ping: 3 sent, $answers received"
  if [ "$answers" != "$1" ]; then
    echo "run.sh: expected $1 answers" >&2
    exit 1
  fi
}

object=$(mktemp /tmp/drop-all-XXXXXX.bpf.o)
ip netns add "$sender"
ip netns add "$receiver"
ip link add eth0 netns "$sender" type veth peer name eth0 netns "$receiver"
ip -n "$sender" address add 192.0.2.1/24 dev eth0
ip -n "$receiver" address add 192.0.2.2/24 dev eth0
ip -n "$sender" link set eth0 up
ip -n "$receiver" link set eth0 up

expect 3
show build "$here/drop-all.bpf.c" -o "$object"
loaded=yes
show load "$object" --name "$name"
show attach "$name" eth0 --netns "$receiver"
expect 0
show unload "$name"
loaded=
expect 3
