// Attaches a pinned XDP program to an interface with a link that nobody but this process holds: `node scripts/run.mjs
// test/support/link-holder.ts PIN IFNAME NETNS`. Says `holding`, and ends when its standard input does.
import { xdp } from '../../src/ebpf/attach/index.js';
import { Program } from '../../src/ebpf/program.js';
import { openNetns } from '../../src/host/netns.js';

const [pin = '', ifname = '', name = ''] = process.argv.slice(2);
using netns = openNetns(name);
using program = Program.fromPin(pin);
using _link = program.attach(xdp({ ifname, netns, mode: 'generic' }));
process.stdout.write('holding\n');
process.stdin.resume();
await new Promise((resolve) => process.stdin.on('end', resolve));
