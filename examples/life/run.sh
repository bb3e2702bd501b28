#!/bin/sh
# The life of one function, from build to delete: what docs/life.md shows. Needs root, clang, iproute2, ping and nsenter.
undo() {
  inside delete guard --yes --if-exists
}
# shellcheck source=examples/lab.sh
. "$(dirname "$0")/../lab.sh"

echo '# Written, and tried'
show 0 build guard.bpf.c -o guard.bpf.o
show 8 plan -f guard.yaml

echo '# Installed'
show 0 apply -f guard.yaml
show 0 apply -f guard.yaml
expect 3
show 0 status guard

echo '# Reconfigured: nothing is loaded anew'
edit guard.yaml 's/198.51.100.7: { ticket: 4711 }/192.0.2.1: { ticket: 4712 }/'
show 8 plan guard
show 0 apply guard
expect 0
show 0 map get guard/blocked 192.0.2.1
edit guard.yaml 's/192.0.2.1: { ticket: 4712 }/198.51.100.7: { ticket: 4711 }/'
show 0 apply guard

echo '# Upgraded to a release that does harm: the old one comes back by itself'
start_pinging
edit guard.yaml 's/source: guard.bpf.c/source: guard.bpf.c, defines: { BROKEN: 1 }/'
show 1 upgrade guard
stop_pinging
expect 3
show 0 status guard
edit guard.yaml 's/, defines: { BROKEN: 1 }//'

echo '# Upgraded to a good one, and back'
edit guard.yaml 's/blocked: { keep/blocked: { maxEntries: 2048, keep/'
show 0 upgrade guard --settle 500ms
show 0 rollback guard
show 8 plan guard

echo '# Taken off by hand, and brought back'
show 0 off eth0
show 8 diff guard
show 0 reconcile
show 0 snapshot guard

echo '# Written down, and removed'
show 0 export guard
show 0 delete guard --yes
expect 3
