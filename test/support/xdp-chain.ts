/** Chains of XDP programs on one end of a veth pair, made by netkit and by xdp-loader of two releases. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Scope } from '../../src/base/scope.js';
import { packageRoot } from '../../src/host/package-root.js';
import { makeBpffs, type TestBpffs } from './bpffs.js';
import { makeVethPair, pingCount, run, type TestNetns, type VethEnd } from './netns.js';
import { newerTool, newerToolsFolder } from './newer-tools.js';

/** Members of the fixture that only differ by what they write down: `member_0` to `member_10`. */
export const plainMembers = Array.from({ length: 11 }, (_, number) => `member_${number}`);

/** Which of them a name says. */
export const numberOf = (name: string): number => Number(name.replace('member_', ''));

export const chainObject = join(packageRoot(), 'test/fixtures/objects/chain.bpf.o');

/** What `xdp-loader status` prints of a member. */
export interface StatusMember {
  readonly priority: number;
  readonly name: string;
  readonly id: number;
  readonly tag: string;
  /** `XDP_DROP,XDP_PASS` */
  readonly actions: string;
}

export type LoaderVersion = '1.3' | '1.5';
export const loaderVersions: readonly LoaderVersion[] = ['1.3', '1.5'];

/** xdp-loader on one interface, with its pins on a bpffs of the test's own. */
export class XdpLoader {
  readonly version: LoaderVersion;
  readonly #end: VethEnd;
  readonly #bpffs: string;
  /** Where maps with a pin of their own are found, so that members of all tools share them. */
  readonly #maps: string;

  constructor(version: LoaderVersion, end: VethEnd, bpffs: string, maps: string) {
    this.version = version;
    this.#end = end;
    this.#bpffs = bpffs;
    this.#maps = maps;
  }

  /** Puts a program of the fixture into the chain. @throws Error with what xdp-loader printed */
  add(member: string, ...options: string[]): void {
    const place = ['-m', 'native', '-p', this.#maps, '-n', member];
    this.run('load', ...place, ...options, this.#end.ifname, chainObject);
  }

  remove(id: number): void {
    this.run('unload', '--id', String(id), this.#end.ifname);
  }

  removeAll(): void {
    this.run('unload', '--all', this.#end.ifname);
  }

  /** The members in their order. */
  status(): StatusMember[] {
    const lines = this.run('status', this.#end.ifname).split('\n');
    return lines.flatMap((line) => {
      const found = /^\s*=>\s+(-?\d+)\s+(\S+)\s+(\d+)\s+([0-9a-f]{16})\s*(\S*)\s*$/.exec(line);
      if (found === null) return [];
      const [, priority, name = '', id, tag = '', actions = ''] = found;
      return [{ priority: Number(priority), name, id: Number(id), tag, actions }];
    });
  }

  run(...args: string[]): string {
    return withVariables(this.#variables(), () =>
      this.version === '1.3'
        ? run('xdp-loader', args, '', this.#end.netns)
        : newerTool('xdp-loader', args, this.#end.netns),
    );
  }

  #variables(): Readonly<Record<string, string>> {
    const objects =
      this.version === '1.3'
        ? '/usr/lib/x86_64-linux-gnu'
        : join(newerToolsFolder(), 'usr/lib/x86_64-linux-gnu');
    return { LIBXDP_BPFFS: this.#bpffs, LIBXDP_OBJECT_PATH: join(objects, 'bpf') };
  }
}

/** Child processes inherit them. */
export function withVariables<T>(variables: Readonly<Record<string, string>>, work: () => T): T {
  const before = Object.keys(variables).map((name) => [name, process.env[name]] as const);
  Object.assign(process.env, variables);
  try {
    return work();
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  }
}

/** Two hosts, of which one has chains, and a bpffs for their pins. */
export class ChainGround implements Disposable {
  readonly bpffs: TestBpffs;
  readonly ifname: string;
  readonly ifindex: number;
  readonly netns: TestNetns;
  /** A folder for pins of maps. */
  readonly maps: string;
  readonly #sender: VethEnd;
  readonly #end: VethEnd;
  readonly #scope: Scope;

  constructor() {
    using scope = new Scope();
    const { a, b } = scope.use(makeVethPair());
    this.bpffs = scope.use(makeBpffs());
    this.#sender = a;
    this.#end = b;
    this.ifname = b.ifname;
    this.ifindex = b.ifindex;
    this.netns = b.netns;
    this.maps = join(this.bpffs.root.path, 'maps');
    mkdirSync(this.maps);
    this.#scope = scope.move();
  }

  loader(version: LoaderVersion, maps = this.maps): XdpLoader {
    return new XdpLoader(version, this.#end, this.bpffs.root.path, maps);
  }

  /** Sends one packet. @returns whether it was answered */
  sendOne(): boolean {
    return pingCount(this.#sender.netns, this.#end.address, 1) === 1;
  }

  /** Pins of chains, relative to the bpffs. */
  chainPins(): string[] {
    return this.bpffs.pins().filter((pin) => pin.startsWith('xdp/'));
  }

  [Symbol.dispose](): void {
    this.#scope[Symbol.dispose]();
  }
}
