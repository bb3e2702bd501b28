import { join } from 'node:path';
import { Scope } from '../../src/base/scope.js';
import { type Chain, readChain } from '../../src/ebpf/dispatcher/chain.js';
import { changeChain, type Wanted } from '../../src/ebpf/dispatcher/change.js';
import { adding, removing } from '../../src/ebpf/dispatcher/edits.js';
import { loadMember } from '../../src/ebpf/dispatcher/member.js';
import { load } from '../../src/ebpf/load.js';
import type { LoadedObject } from '../../src/ebpf/loaded-object.js';
import type { BpfMap } from '../../src/ebpf/map.js';
import type { Program } from '../../src/ebpf/program.js';
import { ObjectSpec } from '../../src/obj/spec.js';
import type { XdpVerdict } from '../../src/obj/xdp-dispatcher/actions.js';
import { readRunConfig } from '../../src/obj/xdp-dispatcher/run-config.js';
import { haveReturn, marksOfOne } from './chain-marks.js';
import { ChainGround, chainObject } from './xdp-chain.js';

/** netkit's side of a chain: members of the fixture that share its maps. */
export class ChainLab implements Disposable {
  readonly ground = new ChainGround();
  readonly place = {
    ifname: this.ground.ifname,
    ifindex: this.ground.ifindex,
    netns: this.ground.netns.handle,
    bpffs: this.ground.bpffs.root.path,
  };
  readonly #spec = ObjectSpec.readSync(chainObject);
  readonly #scope = new Scope();
  readonly #object: LoadedObject;
  readonly maps: ReadonlyMap<string, BpfMap>;

  constructor() {
    this.#spec.only(['member_0']);
    const object = this.#scope.use(load(this.#spec));
    this.#object = object;
    this.maps = object.maps;
    for (const [name, map] of object.maps) map.pin(join(this.ground.maps, name));
  }

  /** A program that is loaded by itself, which no chain takes. */
  program(name: string): Program {
    return this.#object.program(name);
  }

  /** Puts a program of the fixture into the chain. @returns the id of its program */
  add(name: string, options: { priority?: number; proceedOn?: readonly XdpVerdict[] } = {}): number {
    let id = 0;
    const wanted: Wanted = {
      ...readRunConfig(this.#spec.btf, name),
      ...options,
      name,
      frags: this.#spec.program(name).frags,
      loaded: undefined,
      open: (slot) => {
        const source = { spec: this.#spec, program: name, name: 'chain', maps: this.maps };
        const program = this.#scope.use(loadMember(source, slot));
        id = program.info().id;
        return program;
      },
    };
    changeChain(this.place, { mode: 'native' }, adding(wanted));
    return id;
  }

  remove(id: number): void {
    changeChain(this.place, { mode: 'auto' }, removing(id));
  }

  chain(): Chain | undefined {
    const found = readChain(this.place);
    if (found?.kind === 'program') throw new Error(`a lone program: ${found.name}`);
    return found;
  }

  /** Names in the order in which netkit sees them. */
  names(): (string | undefined)[] {
    return this.chain()?.members?.map(({ program }) => program?.name) ?? [];
  }

  /** Sends one packet. @returns the members that it went through, in their order */
  ran(): { readonly members: number[]; readonly answered: boolean } {
    let answered = false;
    const members = marksOfOne(this.#map('marks'), () => {
      answered = this.ground.sendOne();
    });
    return { members, answered };
  }

  /** What a member returns from now on, as a number of XDP. */
  returns(member: number, verdict: number): void {
    haveReturn(this.#map('verdicts'), member, verdict);
  }

  #map(name: string): BpfMap {
    const map = this.maps.get(name);
    if (map === undefined) throw new Error(`no map ${name}`);
    return map;
  }

  [Symbol.dispose](): void {
    this.#scope[Symbol.dispose]();
    this.ground[Symbol.dispose]();
  }
}
