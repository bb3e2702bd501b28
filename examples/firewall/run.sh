#!/bin/sh
# The firewall that comes with netkit, configured by a manifest: a blocked network, an exception from it, and a change.
undo() {
  inside delete edge-firewall --yes --if-exists
}
# shellcheck source=examples/lab.sh
. "$(dirname "$0")/../lab.sh"

show 0 apply -f firewall.yaml
expect 3
echo '# Without the exception'
edit firewall.yaml '/allow:/d'
show 8 plan edge-firewall
show 0 apply edge-firewall
expect 0
show 0 status edge-firewall
echo '# Who blocks by hand is not overruled: what others added stays'
show 0 map update edge-firewall/blocklist_v4 198.51.100.0/24 drop
show 0 apply edge-firewall
show 0 map get edge-firewall/blocklist_v4 198.51.100.0/24
show 0 delete -f firewall.yaml --yes
expect 3
