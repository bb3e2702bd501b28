/** The programs of other tools: loaded and pinned by bpftool, each with its own count. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Scope } from '../../src/base/scope.js';
import type { Link } from '../../src/ebpf/link.js';
import { BpfMap } from '../../src/ebpf/map.js';
import { Program } from '../../src/ebpf/program.js';
import { run } from '../support/netns.js';
import { newerTool } from '../support/newer-tools.js';
import type { Objects } from './objects.js';

/** The index that a program counts under, in its own copy of the map. */
const counters = {
  xdp: 0,
  tc: 1,
  tcx: 1,
  cgroup: 2,
  netfilter: 3,
  route: 4,
  cpumap: 5,
  devmap: 6,
  action: 7,
} as const;
type Kind = keyof typeof counters;

const programNames: Readonly<Record<Kind, string>> = {
  xdp: 'on_xdp',
  tc: 'on_tc',
  tcx: 'on_tc',
  cgroup: 'on_cgroup',
  netfilter: 'on_filter',
  route: 'route_xmit',
  cpumap: 'arriving',
  devmap: 'leaving',
  action: 'act',
};
/** What the object is compiled with that has programs of these kinds. */
const defines = { plain: [], netfilter: ['WITH_NETFILTER'], further: ['WITH_FURTHER'] } as const;
export type ObjectFiles = Readonly<Record<keyof typeof defines, string>>;

/** One program of another tool. */
interface Foreign {
  readonly name: string;
  readonly programId: number;
  readonly counter: number;
  readonly seen: BpfMap;
  /** Undefined for what is attached without a link, which nothing can name. */
  readonly linkId: number | undefined;
}

export class ForeignPrograms implements Disposable {
  readonly all: Foreign[] = [];
  readonly #folder: string;
  readonly #objects: ObjectFiles;
  readonly #scope = new Scope();

  /** @param folder where they are pinned */
  constructor(folder: string, objects: ObjectFiles) {
    this.#folder = folder;
    this.#objects = objects;
  }

  /** Programs by their names: `tcx-1` and so on. */
  id(name: string): number {
    return this.#named(name).programId;
  }

  linkId(name: string): number {
    const { linkId } = this.#named(name);
    if (linkId === undefined) throw new Error(`${name} has no link`);
    return linkId;
  }

  /** The pin of a program, or of another one of its object. */
  pin(name: string, program: string = programNames[kindOf(name)]): string {
    return join(this.#folder, name, 'progs', program);
  }

  /** The pin of the map that it counts in. */
  mapPin(name: string): string {
    return join(this.#folder, name, 'maps/seen');
  }

  linkPin(name: string): string {
    return join(this.#folder, name, 'link');
  }

  /** The pin of the map that has an entry with the program. */
  redirectingPin(name: 'cpumap' | 'devmap'): string {
    return join(this.#folder, name, 'maps', name === 'cpumap' ? 'processors' : 'ports');
  }

  /** Those with a link, which a command can name. */
  get linked(): readonly string[] {
    return this.all.flatMap(({ name, linkId }) => (linkId === undefined ? [] : [name]));
  }

  get names(): readonly string[] {
    return this.all.map(({ name }) => name);
  }

  #named(name: string): Foreign {
    const found = this.all.find((each) => each.name === name);
    if (found === undefined) throw new Error(`nobody put ${name} there`);
    return found;
  }

  /** Loads with bpftool, which pins programs and maps. */
  #load(name: string): string {
    const folder = join(this.#folder, name);
    mkdirSync(folder);
    const kind = kindOf(name);
    const object =
      kind === 'netfilter' ? 'netfilter' : counters[kind] > counters.netfilter ? 'further' : 'plain';
    const args = [
      'prog',
      'loadall',
      this.#objects[object],
      join(folder, 'progs'),
      'pinmaps',
      join(folder, 'maps'),
    ];
    // The older one does not know netfilter.
    if (kind === 'netfilter') newerTool('bpftool', args);
    else run('bpftool', args);
    return this.pin(name);
  }

  /** @param attach puts the pinned program there; what it gives back is pinned, as another tool would */
  put(name: string, attach: (pin: string, program: Program) => Link | undefined): void {
    const pin = this.#load(name);
    using program = Program.fromPin(pin);
    using link = attach(pin, program);
    link?.pin(this.linkPin(name));
    this.all.push({
      name,
      programId: program.info().id,
      counter: counters[kindOf(name)],
      seen: this.#scope.use(BpfMap.fromPin(this.mapPin(name))),
      linkId: link?.info().id,
    });
  }

  [Symbol.dispose](): void {
    this.#scope[Symbol.dispose]();
  }
}

export async function compileForeign(objects: Objects): Promise<ObjectFiles> {
  const compiled = (which: keyof typeof defines) =>
    objects.compile('test/fixtures/foreign.bpf.c', defines[which]);
  return {
    plain: await compiled('plain'),
    netfilter: await compiled('netfilter'),
    further: await compiled('further'),
  };
}

/** `tcx-1` is a tcx program. */
function kindOf(name: string): Kind {
  const [word] = name.split('-');
  if (word !== undefined && isKind(word)) return word;
  throw new Error(`${name} is of no kind`);
}

function isKind(word: string): word is Kind {
  return word in counters;
}
