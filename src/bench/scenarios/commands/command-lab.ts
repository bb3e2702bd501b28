/** Where commands are run: in a network namespace, with a bpf file system and a state directory that are gone with this process. */
import { join } from 'node:path';
import { interfaceHooks } from '../../../ebpf/interface-hooks.js';
import { allowedCpus } from '../../../host/affinity.js';
import { runInside } from '../../../host/command-inside.js';
import { findInterface } from '../../../host/interfaces.js';
import { type Netns, newNetns } from '../../../host/netns.js';
import { PrivateFileSystem } from '../../../host/private-file-system.js';
import { CommandLog, type Place } from '../../lab/command-log.js';
import { toolVersions } from '../../lab/tool-versions.js';
import type { PrepareContext, Prepared } from '../../scenario.js';
import { prefix, prefixMap, type Stand, tools, type Words } from './ways.js';

/** The function that stands all the time. */
const name = 'standing';

export class CliLab {
  readonly netns: Netns;
  /** What keeps commands to the benchmark's own places. */
  readonly env: Readonly<Record<string, string>>;
  readonly stand: Stand;
  readonly #log = new CommandLog();
  readonly #place: Place;
  #interfaces = 0;

  /** @throws NetkitError `tool-missing`, `tool-failed`, `not-permitted`; SysError */
  constructor(netkit: Words, object: string, { scope, progress }: PrepareContext) {
    progress('loading what commands work on');
    this.netns = scope.use(newNetns());
    this.#place = { netns: this.netns, title: 'namespace' };
    const bpffs = scope.use(new PrivateFileSystem('bpf')).path;
    const state = scope.use(new PrivateFileSystem('tmpfs')).path;
    this.env = { NETKIT_BPFFS: bpffs, NETKIT_STATE_DIR: join(state, 'netkit') };
    const folder = join(bpffs, 'netkit', name);
    this.stand = {
      netkit: (...words) => [...netkit, ...words],
      bpffs,
      object,
      pinned: { program: join(folder, 'progs/firewall'), map: join(folder, 'maps', prefixMap) },
      name,
      veth: () => this.#veth(),
      hasXdp: (ifname) => this.#hasXdp(ifname, bpffs),
    };
    this.#run(this.stand.netkit('load', object, '--name', name));
    this.#run(this.stand.netkit('map', 'update', `${name}/${prefixMap}`, prefix, 'drop'));
  }

  environment(): ReturnType<NonNullable<Prepared['environment']>> {
    return {
      tools: [...toolVersions([{ name: 'bpftool', versionArgs: tools.bpftool }])],
      placement: [{ what: 'the commands, and netkit, which waits for them (SCHED_RR)', cpus: allowedCpus() }],
      commands: [
        ...Object.entries(this.env).map(([variable, value]) => `namespace# export ${variable}=${value}`),
        ...this.#log.lines,
      ],
    };
  }

  #veth(): string {
    this.#interfaces += 1;
    const ifname = `nkc${this.#interfaces}`;
    const lines = [
      `link add ${ifname} type veth peer name ${ifname}p`,
      `link set ${ifname} up`,
      `link set ${ifname}p up`,
    ];
    runInside(this.netns, 'ip', ['-batch', '-'], `${lines.join('\n')}\n`);
    for (const line of lines) this.#log.note(this.#place.title, `ip ${line}`);
    return ifname;
  }

  #hasXdp(ifname: string, bpffs: string): boolean {
    const { receive } = interfaceHooks(findInterface(ifname, this.netns), this.netns, { bpffs });
    return receive.some(({ hook, detail }) => hook === 'xdp' && detail?.startsWith('native') === true);
  }

  #run([file, ...args]: Words): void {
    this.#log.note(this.#place.title, [file, ...args].join(' '));
    runInside(this.netns, file, args, '', this.env);
  }
}
