#!/bin/sh
# Drops every packet that reaches one end of a veth pair, shows it with ping, and takes everything away again.
undo() {
  inside delete drop-all --yes --if-exists
}
# shellcheck source=examples/lab.sh
. "$(dirname "$0")/../lab.sh"

expect 3
show 0 apply -f drop-all.yaml
expect 0
show 0 delete drop-all --yes
expect 3
