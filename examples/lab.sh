# shellcheck shell=sh
# What the examples share: two network namespaces joined by a veth pair, in which they work, so that no interface of yours is
# touched. Sourced by run.sh; needs root, iproute2, ping and nsenter. Everything is taken away again, however the script ends.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
if [ -x "$here/../../bin/netkit.js" ]; then
  netkit=$here/../../bin/netkit.js
else
  netkit=$(command -v netkit)
fi
if [ "$(id -u)" != 0 ]; then
  echo "run.sh: making network namespaces needs root" >&2
  exit 4
fi

sender=nk-example-$$-a
receiver=nk-example-$$-b
# A copy of the example, which may be edited.
work=$(mktemp -d /tmp/netkit-example-XXXXXX)
pinging=

clean_up() {
  status=$?
  trap - EXIT INT TERM
  [ -z "$pinging" ] || kill "$pinging" 2>/dev/null || true
  # Set by the example: takes away what it applied.
  undo >/dev/null || status=1
  ip netns del "$sender" 2>/dev/null || true
  ip netns del "$receiver" 2>/dev/null || true
  rm -rf "$work"
  exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# In the receiver's network namespace, and in no other namespace: pins stay where they are.
inside() {
  nsenter --net="/run/netns/$receiver" "$netkit" "$@"
}

# show STATUS ARGUMENT...: runs netkit, shows the command and what it says, and expects this exit status.
show() {
  expected=$1
  shift
  echo "\$ netkit $*"
  status=0
  inside "$@" 2>&1 || status=$?
  if [ "$status" != "$expected" ]; then
    echo "run.sh: 'netkit $*' ended with $status, not $expected" >&2
    exit 1
  fi
}

# edit FILE EXPRESSION: changes a file, and says so as a shell would.
edit() {
  echo "\$ sed -i '$2' $1"
  sed -i "$2" "$1"
}

# expect NUMBER: sends three pings, and expects so many answers.
expect() {
  answers=$(LC_ALL=C ip netns exec "$sender" ping -n -c 3 -i 0.2 -W 1 192.0.2.2 | sed -n 's/.* \([0-9][0-9]*\) received.*/\1/p')
  echo "ping: 3 sent, $answers answered"
  if [ "$answers" != "$1" ]; then
    echo "run.sh: expected $1 answers" >&2
    exit 1
  fi
}

# start_pinging, stop_pinging: traffic beside the commands, twenty packets a second.
start_pinging() {
  ip netns exec "$sender" ping -n -i 0.05 192.0.2.2 >/dev/null 2>&1 &
  pinging=$!
}
stop_pinging() {
  kill "$pinging"
  wait "$pinging" 2>/dev/null || true
  pinging=
}

ip netns add "$sender"
ip netns add "$receiver"
ip link add eth0 netns "$sender" type veth peer name eth0 netns "$receiver"
ip -n "$sender" address add 192.0.2.1/24 dev eth0
ip -n "$receiver" address add 192.0.2.2/24 dev eth0
ip -n "$sender" link set eth0 up
ip -n "$receiver" link set eth0 up
cp "$here"/*.c "$here"/*.yaml "$work" 2>/dev/null || cp "$here"/*.yaml "$work"
cd "$work"
