import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { Scope } from '../../src/base/scope.js';
import { type Netns, openNetns, withNetns } from '../../src/host/netns.js';
import { interfaceIndex } from '../../src/sys/libc.js';

let counter = 0;

/** A name that no other test process uses at the same time; at most 14 bytes, so that an interface may have it. */
export function uniqueName(): string {
  counter += 1;
  return `nk${process.pid.toString(36)}-${counter.toString(36)}`;
}

/** A network namespace of a test: loopback up, IPv6 off. Disposing removes it with everything in it. */
export class TestNetns implements Disposable {
  /** Its name under /run/netns, for `--netns`. */
  readonly name: string;
  /** Open as long as the namespace; for `withNetns`. */
  readonly handle: Netns;
  readonly #scope: Scope;

  constructor(name: string, handle: Netns, scope: Scope) {
    this.name = name;
    this.handle = handle;
    this.#scope = scope;
  }

  /** Runs synchronous work inside. */
  inside<T>(work: () => T): T {
    return withNetns(this.handle, work);
  }

  /** Runs a program inside and returns its standard output; throws with its errors when it fails. */
  run(file: string, args: readonly string[], input = ''): string {
    return run(file, args, input, this);
  }

  /** Index of an interface inside; throws when there is none. */
  ifindex(ifname: string): number {
    const index = this.inside(() => interfaceIndex(ifname));
    if (index === undefined) throw new Error(`no interface ${ifname} in ${this.name}`);
    return index;
  }

  [Symbol.dispose](): void {
    this.#scope[Symbol.dispose]();
  }
}

export interface NetnsOptions {
  /** Off by default: router solicitations and the like spoil packet counts. */
  readonly ipv6?: boolean;
}

/** A namespace without interfaces but loopback. */
export function makeNetns(options: NetnsOptions = {}): TestNetns {
  const made = newNetns(options);
  try {
    run('ip', ['link', 'set', 'lo', 'up'], '', made);
  } catch (error) {
    made[Symbol.dispose]();
    throw error;
  }
  return made;
}

/** One end of a veth pair. */
export interface VethEnd {
  readonly netns: TestNetns;
  readonly ifname: string;
  readonly ifindex: number;
  /** IPv4 address, without the prefix length (24). */
  readonly address: string;
  readonly mac: string;
}

export interface VethOptions extends NetnsOptions {
  /** Namespaces to put the ends in; each that is left out is made, and removed with the pair. */
  readonly a?: TestNetns;
  readonly b?: TestNetns;
  /** Receive and transmit queues of each end. */
  readonly queues?: number;
  /** Resolve addresses by ARP. By default the neighbours are entered, so that no other packet passes than those sent. */
  readonly arp?: boolean;
}

/** Two namespaces joined by a veth pair, both ends up and reachable. */
export class VethPair implements Disposable {
  readonly a: VethEnd;
  readonly b: VethEnd;
  readonly #scope: Scope;

  constructor(a: VethEnd, b: VethEnd, scope: Scope) {
    this.a = a;
    this.b = b;
    this.#scope = scope;
  }

  /** Removes the pair and the namespaces made for it. */
  [Symbol.dispose](): void {
    this.#scope[Symbol.dispose]();
  }
}

/** Makes a veth pair with addresses 10.77.N.1 and 10.77.N.2. */
export function makeVethPair(options: VethOptions = {}): VethPair {
  using scope = new Scope();
  const netnsA = options.a ?? scope.use(newNetns(options));
  const netnsB = options.b ?? scope.use(newNetns(options));
  const name = uniqueName();
  const subnet = counter % 256;
  const end = (netns: TestNetns, letter: string, host: number) => ({
    netns,
    ifname: `${name}${letter}`,
    address: `10.77.${subnet}.${host}`,
    mac: `02:00:00:00:${subnet.toString(16).padStart(2, '0')}:0${host}`,
  });
  const a = end(netnsA, 'a', 1);
  const b = end(netnsB, 'b', 2);
  const queues =
    options.queues === undefined ? '' : `numrxqueues ${options.queues} numtxqueues ${options.queues}`;
  ipBatch(
    [
      `link add ${a.ifname} address ${a.mac} ${queues} type veth peer name ${b.ifname} address ${b.mac} ${queues} netns ${netnsB.name}`,
      ...configuration(a, b, options.arp ?? false),
    ],
    netnsA,
  );
  scope.defer(() => {
    // Removes both ends; an end that a test removed or moved already is no fault.
    spawnSync('ip', ['-n', netnsA.name, 'link', 'del', a.ifname]);
  });
  ipBatch(configuration(b, a, options.arp ?? false), netnsB);
  const [ifindexA, ifindexB] = [netnsA.ifindex(a.ifname), netnsB.ifindex(b.ifname)];
  waitUntilUp(a);
  return new VethPair({ ...a, ifindex: ifindexA }, { ...b, ifindex: ifindexB }, scope.move());
}

/** Sends `count` echo requests from `netns`, 5 ms apart, and returns how many answers came. */
export function pingCount(netns: TestNetns, address: string, count: number): number {
  const args = ['-n', '-q', '-c', String(count), '-i', '0.005', '-W', '0.3', address];
  const result = netns.inside(() => spawnSync('ping', args, { encoding: 'utf8', timeout: 30_000 }));
  const received = /(\d+) received/.exec(result.stdout ?? '')?.[1];
  if (received === undefined)
    throw new Error(`ping ${address} in ${netns.name}: ${result.stderr ?? result.error}`);
  return Number(received);
}

/** Runs a program, inside `netns` when given; throws with its errors when it fails. */
export function run(file: string, args: readonly string[], input = '', netns?: TestNetns): string {
  // The child inherits the namespace of the thread that forks it, which spares a process against `ip netns exec`.
  const result = withNetns(netns?.handle, () =>
    spawnSync(file, args, { input, encoding: 'utf8', timeout: 30_000, maxBuffer: 64 << 20 }),
  );
  if (result.status !== 0) {
    const where = netns === undefined ? '' : ` in ${netns.name}`;
    throw new Error(`${file} ${args.join(' ')}${where}: ${result.error?.message ?? result.stderr}${input}`);
  }
  return result.stdout;
}

/** Many `ip` commands with one process. */
export function ipBatch(lines: readonly string[], netns?: TestNetns): void {
  run('ip', ['-batch', '-'], `${lines.join('\n')}\n`, netns);
}

function newNetns(options: NetnsOptions): TestNetns {
  using scope = new Scope();
  const name = uniqueName();
  run('ip', ['netns', 'add', name]);
  scope.defer(() => {
    run('ip', ['netns', 'del', name]);
  });
  const handle = scope.use(openNetns(name));
  if (!options.ipv6) {
    withNetns(handle, () => {
      for (const which of ['all', 'default'])
        writeFileSync(`/proc/sys/net/ipv6/conf/${which}/disable_ipv6`, '1');
    });
  }
  return new TestNetns(name, handle, scope.move());
}

interface Planned {
  readonly ifname: string;
  readonly address: string;
  readonly mac: string;
}

function configuration(own: Planned, peer: Planned, arp: boolean): string[] {
  return [
    'link set lo up',
    `addr add ${own.address}/24 dev ${own.ifname}`,
    `link set ${own.ifname} up`,
    ...(arp ? [] : [`neigh replace ${peer.address} lladdr ${peer.mac} nud permanent dev ${own.ifname}`]),
  ];
}

/** The end that came up first gets its carrier from a kernel worker, a little later. */
function waitUntilUp(end: Planned & { readonly netns: TestNetns }): void {
  const deadline = performance.now() + 2000;
  for (;;) {
    const flags = run('ip', ['-o', 'link', 'show', 'dev', end.ifname, 'up'], '', end.netns);
    if (flags.includes('LOWER_UP') && flags.includes('state UP')) return;
    if (performance.now() > deadline) throw new Error(`${end.ifname} did not come up: ${flags}`);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2);
  }
}
