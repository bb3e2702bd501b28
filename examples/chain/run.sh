#!/bin/sh
# Three functions on one interface, in order: a counter before the firewall sees what one behind it does not.
undo() {
  inside delete -f edge.yaml --yes --if-exists
}
# shellcheck source=examples/lab.sh
. "$(dirname "$0")/../lab.sh"

show 0 apply -f edge.yaml
expect 0
show 0 status
echo '# The other way round: the order changes in place'
edit edge.yaml 's/\[count-before, edge-filter, count-behind\]/[count-behind, edge-filter, count-before]/'
show 8 plan -f edge.yaml
show 0 apply -f edge.yaml
show 0 net eth0
echo '# A member may not go while the chain stays'
show 5 delete edge-filter --yes
show 0 delete -f edge.yaml --yes
expect 3
