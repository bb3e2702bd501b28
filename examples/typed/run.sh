#!/bin/sh
# Generates the types of the firewall, compiles block.ts with them, shows that wrong.ts does not compile, and runs block.ts.
# Needs root and clang; TypeScript and @types/node from the folder of this checkout, or TSC=… and TYPES=… .
set -eu

here=$(cd "$(dirname "$0")" && pwd)
netkit=$(cd "$here/../.." && pwd)
if [ "$(id -u)" != 0 ]; then
  echo "run.sh: loading programs needs root" >&2
  exit 4
fi
tsc=${TSC:-"$netkit/node_modules/.bin/tsc"}
types=${TYPES:-"$netkit/node_modules/@types"}
folder=$(mktemp -d /tmp/netkit-typed-XXXXXX)
trap 'rm -rf "$folder"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

mkdir "$folder/node_modules"
ln -s "$netkit" "$folder/node_modules/netkit"
ln -s "$types" "$folder/node_modules/@types"
cp "$here/block.ts" "$here/wrong.ts" "$here/tsconfig.json" "$folder"
echo '{"type":"module"}' >"$folder/package.json"
cd "$folder"

node "$netkit/bin/netkit.js" build "$netkit/bpf/firewall.bpf.c" -o firewall.bpf.o
node "$netkit/bin/netkit.js" gen types firewall.bpf.o -o firewall.types.ts
# tsc writes build/block.js in spite of the errors in wrong.ts, of which there must be one a line, and none elsewhere.
"$tsc" --pretty false >errors || true
cut -d: -f1,2 <errors | grep error
if [ "$(grep -c '^wrong.ts' errors)" != 5 ] || [ "$(grep -c error errors)" != 5 ]; then
  cat errors >&2
  exit 1
fi
node build/block.js firewall.bpf.o 10.0.0.0/8 | tee output
grep -q '^10.2.3.4: dropped$' output
grep -q '^10.1.2.3: passed$' output
