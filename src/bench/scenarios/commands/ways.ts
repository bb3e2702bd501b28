/** What is done on the command line, and by which commands. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Program } from '../../../ebpf/program.js';

/** What makes other tools say their versions. */
export const tools = { bpftool: ['version'], ip: ['-V'] } as const;

/** A program and its arguments. */
export type Words = readonly [file: string, ...args: string[]];

/** Where commands work. */
export interface Stand {
  /** The command line that is running, with these words. */
  netkit(...words: string[]): Words;
  /** A bpf file system of the benchmark's own. */
  readonly bpffs: string;
  /** An object file with one XDP program, and where it is pinned that was loaded before. */
  readonly object: string;
  readonly pinned: { readonly program: string; readonly map: string };
  /** Of the function that was loaded before. */
  readonly name: string;
  /** A new interface. */
  veth(): string;
  /** Whether native XDP has a program on it. */
  hasXdp(ifname: string): boolean;
}

/** A command and, where it makes something that stays, the one that takes it away. */
export interface WayCommands {
  readonly act: Words;
  readonly undo?: Words;
  /** What it made is there now. */
  readonly isThere?: () => boolean;
  /** What a command that makes nothing has to say. */
  readonly says?: RegExp;
}

export interface Way {
  readonly name: string;
  readonly title: string;
  /** Of the command that undoes it. */
  readonly undoTitle?: string;
  /** What has to be installed. */
  readonly tool?: keyof typeof tools;
  /** Called for each time that it is measured: no two share what they make. */
  commands(stand: Stand): WayCommands;
}

export interface Task {
  readonly name: string;
  readonly title: string;
  /** Of taking away what was made, which is timed too. */
  readonly undo?: { readonly name: string; readonly title: string };
  /** The first whose tool is installed is what the others are compared with. */
  readonly ways: readonly Way[];
}

const start: Task = {
  name: 'start',
  title: 'How long does it take to start?',
  ways: [
    {
      name: 'bpftool',
      title: 'bpftool version',
      tool: 'bpftool',
      commands: () => ({ act: ['bpftool', 'version'], says: /bpftool v\d/ }),
    },
    {
      name: 'ip',
      title: 'ip -V',
      tool: 'ip',
      commands: () => ({ act: ['ip', '-V'], says: /^ip utility, iproute2/ }),
    },
    {
      name: 'node',
      title: 'Node alone',
      commands: () => ({ act: [process.execPath, '-e', '0'], says: /^$/ }),
    },
    {
      name: 'netkit-version',
      title: 'netkit --version',
      commands: (stand) => ({ act: stand.netkit('--version'), says: /^(netkit )?\d+\.\d+/ }),
    },
    {
      name: 'netkit-help',
      title: 'netkit --help',
      commands: (stand) => ({ act: stand.netkit('--help'), says: /Usage: netkit/ }),
    },
  ],
};

/** Of what has been loaded so far, so that each has a name of its own. */
let loaded = 0;

const load: Task = {
  name: 'load',
  title: 'How long does it take to load an object?',
  undo: { name: 'unload', title: 'How long does it take to take it away again?' },
  ways: [
    {
      name: 'bpftool',
      title: 'bpftool prog loadall',
      undoTitle: 'rm -r of the pins',
      tool: 'bpftool',
      commands: ({ bpffs, object }) => {
        loaded += 1;
        const folder = join(bpffs, `bpftool-${loaded}`);
        return {
          act: ['bpftool', 'prog', 'loadall', object, folder, 'pinmaps', folder],
          undo: ['rm', '-r', folder],
          isThere: () => isProgram(join(folder, 'firewall')),
        };
      },
    },
    {
      name: 'netkit',
      title: 'netkit load',
      undoTitle: 'netkit unload',
      commands: (stand) => {
        loaded += 1;
        const name = `loaded-${loaded}`;
        return {
          act: stand.netkit('load', stand.object, '--name', name),
          undo: stand.netkit('unload', name),
          isThere: () => isProgram(join(stand.bpffs, 'netkit', name, 'progs/firewall')),
        };
      },
    },
  ],
};

const attach: Task = {
  name: 'attach',
  title: 'How long does it take to attach a program to an interface?',
  undo: { name: 'detach', title: 'How long does it take to detach it again?' },
  ways: [
    {
      name: 'bpftool',
      title: 'bpftool net attach',
      undoTitle: 'bpftool net detach',
      tool: 'bpftool',
      commands: (stand) => {
        const ifname = stand.veth();
        return {
          act: ['bpftool', 'net', 'attach', 'xdpdrv', 'pinned', stand.pinned.program, 'dev', ifname],
          undo: ['bpftool', 'net', 'detach', 'xdpdrv', 'dev', ifname],
          isThere: () => stand.hasXdp(ifname),
        };
      },
    },
    {
      name: 'ip',
      title: 'ip link set xdpdrv pinned',
      undoTitle: 'ip link set xdpdrv off',
      tool: 'ip',
      commands: (stand) => {
        const ifname = stand.veth();
        return {
          act: ['ip', 'link', 'set', 'dev', ifname, 'xdpdrv', 'pinned', stand.pinned.program],
          undo: ['ip', 'link', 'set', 'dev', ifname, 'xdpdrv', 'off'],
          isThere: () => stand.hasXdp(ifname),
        };
      },
    },
    {
      name: 'netkit-direct',
      title: 'netkit attach --direct',
      undoTitle: 'netkit detach',
      commands: (stand) => {
        const ifname = stand.veth();
        return {
          act: stand.netkit('attach', stand.name, ifname, '--mode', 'native', '--direct'),
          undo: stand.netkit('detach', stand.name, ifname),
          isThere: () => stand.hasXdp(ifname),
        };
      },
    },
    {
      name: 'netkit-chain',
      title: 'netkit attach, to a chain',
      undoTitle: 'netkit detach, from a chain',
      commands: (stand) => {
        const ifname = stand.veth();
        return {
          act: stand.netkit('attach', stand.name, ifname, '--mode', 'native'),
          undo: stand.netkit('detach', stand.name, ifname),
          isThere: () => stand.hasXdp(ifname),
        };
      },
    },
  ],
};

/** `10.0.0.0/8` of a prefix map, byte by byte. */
const prefixBytes = ['08', '00', '00', '00', '0a', '00', '00', '00'];
export const prefix = '10.0.0.0/8';
export const prefixMap = 'blocklist_v4';

const mapGet: Task = {
  name: 'map-get',
  title: 'How long does it take to look up an entry?',
  ways: [
    {
      name: 'bpftool',
      title: 'bpftool map lookup',
      tool: 'bpftool',
      commands: ({ pinned }) => ({
        act: ['bpftool', 'map', 'lookup', 'pinned', pinned.map, 'key', 'hex', ...prefixBytes],
        says: /value/,
      }),
    },
    {
      name: 'netkit',
      title: 'netkit map get',
      commands: (stand) => ({
        act: stand.netkit('map', 'get', `${stand.name}/${prefixMap}`, prefix),
        says: /drop/,
      }),
    },
  ],
};

const mapList: Task = {
  name: 'map-list',
  title: 'How long does it take to list all maps of the machine?',
  ways: [
    {
      name: 'bpftool',
      title: 'bpftool map list',
      tool: 'bpftool',
      commands: () => ({ act: ['bpftool', 'map', 'list'], says: new RegExp(`name ${prefixMap}`) }),
    },
    {
      name: 'netkit',
      title: 'netkit map list --all',
      commands: (stand) => ({ act: stand.netkit('map', 'list', '--all'), says: new RegExp(prefixMap) }),
    },
  ],
};

export const tasks: readonly Task[] = [start, load, attach, mapGet, mapList];

export const taskNames: readonly string[] = tasks.map(({ name }) => name);

function isProgram(pin: string): boolean {
  if (!existsSync(pin)) return false;
  using program = Program.fromPin(pin);
  return program.info().type === 'xdp';
}
