// The budgets of the commands that everything else is built on.
import { join } from 'node:path';
import { ROOT } from './lib/lab.mjs';

const NODE = 'node';

export function rows(lab) {
  const object = lab.object('firewall');
  const [netkitVeth, toolVeth] = [lab.veth('nkbench0'), lab.veth('nkbench1')];
  const pins = join(lab.bpffs, 'tool');
  const root = join(ROOT, 'dist/bpf/parts/xdp-tail-root.bpf.o');
  const loadAll = (file, folder) => lab.tool('bpftool', 'prog', 'loadall', file, folder, 'pinmaps', folder);
  const program = join(pins, 'firewall');
  lab.prepare(lab.netkit('load', object, '--name', 'standing'));
  lab.prepare(lab.netkit('map', 'update', 'standing/blocklist_v4', '10.0.0.0/8', 'drop'));
  const get = lab.netkit('map', 'get', 'standing/blocklist_v4', '10.0.0.0/8');
  return {
    title: 'Commands, and what they cost over Node and the tools that do the same.',
    rounds: 75,
    chains: [
      [{ name: NODE, command: lab.bareNode() }],
      [{ name: 'node again', command: lab.bareNode() }],
      [{ name: 'help', command: lab.netkit('--help') }],
      [{ name: 'map get', command: get }],
      [{ name: 'memory of map get', command: get, peak: true }],
      [
        { name: 'load', command: lab.netkit('load', object, '--name', 'fw') },
        {
          name: 'attach',
          command: lab.netkit('attach', 'fw', netkitVeth, '--mode', 'native', '--direct'),
        },
        { name: 'detach', command: lab.netkit('detach', 'fw', netkitVeth) },
        { name: 'attach to a chain', command: lab.netkit('attach', 'fw', netkitVeth, '--mode', 'native') },
        { name: 'detach from a chain', command: lab.netkit('detach', 'fw', netkitVeth) },
        { name: 'unload', command: lab.netkit('unload', 'fw') },
      ],
      [
        {
          name: 'bpftool load',
          command: loadAll(object, pins),
        },
        {
          name: 'ip attach',
          command: lab.tool('ip', 'link', 'set', 'dev', toolVeth, 'xdpdrv', 'pinned', program),
        },
        { name: 'ip detach', command: lab.tool('ip', 'link', 'set', 'dev', toolVeth, 'xdpdrv', 'off') },
        { name: 'rm', command: lab.tool('rm', '-r', pins) },
        { name: 'bpftool load again', command: loadAll(object, pins) },
        { name: 'bpftool load root', command: loadAll(root, `${pins}-root`) },
        { name: 'rm both', command: lab.tool('rm', '-r', pins, `${pins}-root`) },
      ],
    ],
    rows: [
      { title: '`node -e 0` itself, which the others are over', of: NODE, unit: 'ms' },
      {
        title: 'noise: `node -e 0` over `node -e 0`',
        of: 'node again',
        over: [NODE],
        unit: 'ms',
        noise: true,
      },
      { title: '`netkit --help` over Node', of: 'help', over: [NODE], budget: 25, unit: 'ms' },
      { title: '`netkit map get` over Node', of: 'map get', over: [NODE], budget: 45, unit: 'ms' },
      {
        title: '`netkit load` of the firewall over Node and `bpftool prog loadall`',
        of: 'load',
        over: [NODE, 'bpftool load'],
        budget: 45,
        unit: 'ms',
      },
      {
        title: '`netkit attach --direct` (native XDP) over Node and `ip link set … xdpdrv pinned`',
        of: 'attach',
        over: [NODE, 'ip attach'],
        budget: 45,
        unit: 'ms',
      },
      {
        title: '`netkit detach` of that over Node and `ip link set … xdpdrv off`',
        of: 'detach',
        over: [NODE, 'ip detach'],
        budget: 45,
        unit: 'ms',
      },
      {
        title:
          '`netkit attach` to a new chain over Node, `bpftool prog loadall` of its member and its root program, and `ip link set …`',
        of: 'attach to a chain',
        over: [NODE, 'bpftool load again', 'bpftool load root', 'ip attach'],
        budget: 45,
        unit: 'ms',
      },
      {
        title: '`netkit detach` of its last member over Node, `ip link set … off` and `rm -r` of the pins',
        of: 'detach from a chain',
        over: [NODE, 'ip detach', 'rm both'],
        budget: 45,
        unit: 'ms',
      },
      {
        title: '`netkit unload` over Node and `rm -r` of the pins',
        of: 'unload',
        over: [NODE, 'rm'],
        budget: 45,
        unit: 'ms',
      },
      { title: 'peak resident memory of `netkit map get`', of: 'memory of map get', budget: 90, unit: 'MB' },
    ],
  };
}
