/** What tests of declared chains share: functions that sign what passes, and the forms that their chains take. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { z } from 'zod';
import { documents } from '../../src/cli/schema/documents.js';
import { BpfMap } from '../../src/ebpf/map.js';
import { Program } from '../../src/ebpf/program.js';
import { haveReturn, marksOfOne } from '../support/chain-marks.js';
import type { CliResult } from '../support/cli.js';
import type { KernelCapabilityName } from '../support/known-kernels.js';
import { withoutFreplace } from '../support/tail-chain.js';
import { documentOf, type Ground } from './ground.js';
import { onGround } from './hook-ground.js';

/** What makes members run one after another. */
export interface ChainForm {
  readonly form: 'dispatcher' | 'tail-calls' | 'tcx' | 'tc';
  readonly hook: string;
  readonly kind: 'xdp' | 'tc';
  readonly needs: readonly KernelCapabilityName[];
  readonly env: Readonly<Record<string, string>>;
}

export const chainForms: readonly ChainForm[] = [
  { form: 'dispatcher', hook: 'xdp', kind: 'xdp', needs: ['freplace'], env: {} },
  { form: 'tail-calls', hook: 'xdp', kind: 'xdp', needs: [], env: withoutFreplace },
  { form: 'tcx', hook: 'tcx/ingress', kind: 'tc', needs: ['tcx'], env: {} },
  { form: 'tc', hook: 'tc/ingress', kind: 'tc', needs: [], env: {} },
];

export type Member =
  | string
  | { readonly name: string; readonly program?: string; readonly proceedOn?: readonly string[] };

const mapsOfAll = ['marks', 'verdicts', 'releases', 'histories'];

export interface MemberOptions {
  readonly release?: number;
  readonly object?: string;
  readonly recorder?: boolean;
  readonly more?: object;
}

/** Functions `m1`, `m2`, …, which sign with 1, 2, …, and use the maps of `store`; and the recorder `r`. */
export class DeclaredChains {
  readonly ground: Ground;
  readonly form: ChainForm;
  readonly manifest: string;
  readonly #object: string;

  constructor(ground: Ground, form: ChainForm, object: string) {
    this.ground = ground;
    this.form = form;
    this.#object = object;
    this.manifest = join(ground.bpffs.folder, 'chains.yaml');
    ground.does('load', object, '--name', 'store', '--only', `${form.kind}_member`);
  }

  member(name: string, { release = 1, object, recorder = false, more = {} }: MemberOptions = {}): object {
    const mark = name === 'r' ? 15 : Number(name.slice(1));
    return {
      apiVersion: 'netkit/v1',
      kind: 'NetworkFunction',
      metadata: { name },
      spec: {
        program: {
          object: object ?? this.#object,
          only: [`${this.form.kind}_${recorder || name === 'r' ? 'recorder' : 'member'}`],
        },
        globals: { mark, release },
        maps: Object.fromEntries(mapsOfAll.map((map) => [map, { reuse: `store/${map}` }])),
        ...more,
      },
    };
  }

  chain(functions: readonly Member[], more: object = {}, name = 'edge'): object {
    const { ifname, netns } = this.ground;
    return {
      apiVersion: 'netkit/v1',
      kind: 'Chain',
      metadata: { name },
      spec: { interface: ifname, netns: netns.name, hook: this.form.hook, functions, ...more },
    };
  }

  /** A manifest with a chain, and its members as they are without further words. */
  declares(functions: readonly Member[], ...others: readonly object[]): void {
    const given = new Set(others.map((each) => nameOf(each)));
    const members = functions.map((each) => (typeof each === 'string' ? each : each.name));
    this.writes([
      ...members.filter((name) => !given.has(name)).map((name) => this.member(name)),
      ...others,
      ...(given.has('edge') ? [] : [this.chain(functions)]),
    ]);
  }

  writes(all: readonly object[]): void {
    writeFileSync(this.manifest, all.map((each) => JSON.stringify(each)).join('\n---\n'));
  }

  applies(...more: string[]) {
    const args = ['apply', '-f', this.manifest, '--json', '--quiet', ...more];
    return documentOf(documents.apply, this.ground.does(...args));
  }

  tries(...more: string[]): CliResult {
    return this.ground.netkit('apply', '-f', this.manifest, '--json', '--quiet', ...more);
  }

  /** Nothing is left to be done. */
  expectSettled(): void {
    const result = this.ground.netkit('plan', '-f', this.manifest, '--json');
    expect(result.status, result.stdout + result.stderr).toBe(0);
  }

  /** The marks that one packet leaves. */
  ran(): number[] {
    using marks = this.map('marks');
    return marksOfOne(marks, () => this.ground.ping(1));
  }

  /** What a member says of packets from now on, as a number of XDP. */
  returns(mark: number, verdict: number): void {
    using verdicts = this.map('verdicts');
    haveReturn(verdicts, mark, verdict);
  }

  /** The release of a member that ran last. */
  releaseOf(mark: number): number {
    using releases = this.map('releases');
    return Number(releases.get(mark));
  }

  /** How many numbered packets met which members in which order, as digits. */
  histories(): Map<string, number> {
    using map = this.map('histories');
    return new Map(
      [...map].map(([key, counts]) => [
        BigInt(String(key)).toString(16),
        Number(perCpu.parse(counts).reduce((total, count) => total + count, 0n)),
      ]),
    );
  }

  map(name: string): BpfMap {
    return BpfMap.fromPin(join(this.ground.bpffs.root.path, 'netkit/store/maps', name));
  }

  /** What `status` says of the chain. */
  status() {
    const { chains } = documentOf(documents.status, this.ground.does('status', 'edge', '--json'));
    const [chain] = chains;
    if (chain === undefined) throw new Error('status has no chain');
    return chain;
  }

  /**
   * All that a change could have touched: what runs, with the kernel's ids, and every file of the state. Where links are
   * made anew to go back, as those of a dispatcher are and those that move, `remade` leaves out what tells them apart.
   */
  picture(remade = this.form.form === 'dispatcher'): unknown {
    const { stateDir } = this.ground.bpffs;
    const digest = (file: string) =>
      createHash('sha256').update(withoutIds(readFileSync(join(stateDir, file), 'latin1')));
    const known = this.ground.list();
    return {
      list: remade
        ? known.map(({ name, programs, maps, links }) => ({
            name,
            programs: programs.map(({ id }) => id),
            maps: maps.map(({ id }) => id),
            links: links.map(({ name: link, hook, dead }) => [link, hook, dead]),
          }))
        : known,
      ran: this.ran(),
      status: this.status(),
      hooks: remade ? this.ground.hooks().length : this.ground.hooks(),
      pins: this.ground.bpffs
        .pins()
        .map((pin) => (remade ? pin.replace(/dispatch-.*?(\/|$)/, 'dispatch$1') : pin))
        .sort(),
      files: readdirSync(stateDir)
        .sort()
        .map((file) => (remade ? file : [file, digest(file).digest('hex')])),
    };
  }

  deletesAll(): void {
    this.ground.does('delete', '-f', this.manifest, '--yes');
  }
}

const perCpu = z.array(z.coerce.bigint());
const named = z.looseObject({ metadata: z.looseObject({ name: z.string() }) });

/** A member that was put back is loaded anew: its record names another program, and one that there is. */
function withoutIds(record: string): string {
  return record.replaceAll(/(?<="programId": )[0-9]+/g, (id) => {
    using program = Program.fromId(Number(id));
    return program.info().name;
  });
}

function nameOf(document: object): string {
  return named.parse(document).metadata.name;
}

/** Runs a test on fresh ground, and looks that nothing is left. */
export function onChains(
  form: ChainForm,
  object: string,
  work: (chains: DeclaredChains, ground: Ground) => void | Promise<void>,
): Promise<void> {
  return onGround(async (ground) => {
    await work(new DeclaredChains(ground, form, object), ground);
    ground.does('unload', 'store');
  }, form.env);
}

/** The order of marks of a list of members. */
export function marksOf(members: readonly Member[]): number[] {
  return members.map((each) => Number((typeof each === 'string' ? each : each.name).slice(1)));
}

/** Whether a declared order can be changed without taking members off: tc filters have their places for good. */
export function movesInPlace({ form }: ChainForm): boolean {
  return form !== 'tc';
}
