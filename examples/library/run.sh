#!/bin/sh
# Counts the pings between two network namespaces with count.mjs, and checks the counts.
# Needs root, clang, iproute2 and ping. Touches nothing but two network namespaces of its own.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
if [ "$(id -u)" != 0 ]; then
  echo "run.sh: making network namespaces needs root" >&2
  exit 4
fi

sender=nk-library-$$-a
receiver=nk-library-$$-b
folder=$(mktemp -d /tmp/netkit-library-XXXXXX)
counter=

clean_up() {
  status=$?
  trap - EXIT INT TERM
  # Closing its input ends the counter; killing it is only for when that went wrong.
  exec 3>&- || true
  [ -z "$counter" ] || kill "$counter" 2>/dev/null || true
  ip netns del "$sender" 2>/dev/null || true
  ip netns del "$receiver" 2>/dev/null || true
  rm -rf "$folder"
  exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

ip netns add "$sender"
ip netns add "$receiver"
ip link add eth0 netns "$sender" type veth peer name eth0 netns "$receiver"
ip -n "$sender" address add 192.0.2.1/24 dev eth0
ip -n "$receiver" address add 192.0.2.2/24 dev eth0
ip -n "$sender" link set eth0 up
ip -n "$receiver" link set eth0 up

node "$here/../../bin/netkit.js" build "$here/count.bpf.c" -o "$folder/count.bpf.o"
mkfifo "$folder/input"
node "$here/count.mjs" "$folder/count.bpf.o" eth0 "$receiver" <"$folder/input" >"$folder/output" &
counter=$!
exec 3>"$folder/input"
until grep -q '^ready$' "$folder/output"; do
  kill -0 "$counter" 2>/dev/null || exit 1
  sleep 0.1
done

ip netns exec "$sender" ping -n -q -c 3 -i 0.1 -W 1 192.0.2.2 >/dev/null
ip netns exec "$sender" ping -n -q -c 2 -i 0.1 -W 1 -s 1000 192.0.2.2 >/dev/null
exec 3>&-
wait "$counter"
counter=
cat "$folder/output"
if ! grep -q '^192.0.2.1 icmp: 5 packets, 2378 bytes, 2 large$' "$folder/output"; then
  echo "run.sh: expected 5 pings of the sender, 2 of them large" >&2
  exit 1
fi
