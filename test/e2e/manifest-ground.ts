/** Where tests apply manifests: a ground with a folder of its own for them, and looks at the kernel past netkit. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { z } from 'zod';
import { Scope } from '../../src/base/scope.js';
import { documents } from '../../src/cli/schema/documents.js';
import type { DocumentOf } from '../../src/cli/schema/index.js';
import { programsOnCgroup, TestCgroup } from '../support/cgroup.js';
import type { CliResult } from '../support/cli.js';
import { kernelLacks } from '../support/known-kernels.js';
import { run, type TestNetns } from '../support/netns.js';
import { makeProbedLibrary, type ProbedLibrary } from '../support/probed-library.js';
import { bpftool, bpftoolDump, documentOf, type Ground, makeGround } from './ground.js';

/** A document of a manifest, right or wrong. */
export interface ManifestDocument {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
  readonly spec: Readonly<Record<string, unknown>>;
}

/** The programs of `fields.bpf.c`, by their place in the map `tallies`. */
const programs = ['one', 'two', 'xdp_one', 'xdp_two', 'filter', 'connecting', 'traced', 'probed', 'three'];

export const ingress = kernelLacks('tcx') === undefined ? 'tcx/ingress' : 'tc/ingress';
export const egress = kernelLacks('tcx') === undefined ? 'tcx/egress' : 'tc/egress';

export class ManifestGround implements Disposable {
  readonly ground: Ground;
  readonly folder: string;
  /** `fields.bpf.c`, compiled; and with another step. */
  readonly object: string;
  readonly heavier: string;
  readonly #scope: Scope;
  #declared: readonly ManifestDocument[] = [];
  #library: ProbedLibrary | undefined;
  readonly #cgroups = new Map<string, TestCgroup>();

  constructor(objects: { readonly object: string; readonly heavier: string }) {
    using scope = new Scope();
    this.ground = scope.use(makeGround());
    this.object = objects.object;
    this.heavier = objects.heavier;
    this.folder = join(this.ground.bpffs.folder, 'manifests');
    mkdirSync(this.folder);
    this.#scope = scope.move();
  }

  /** The path of a file beside the manifests. */
  file(name: string): string {
    return join(this.folder, name);
  }

  /** Writes a file beside the manifests. @returns its path */
  writes(name: string, content: string): string {
    const path = this.file(name);
    mkdirSync(join(path, '..'), { recursive: true });
    writeFileSync(path, content);
    return path;
  }

  /** Copies a file of somewhere else. */
  copies(from: string, to: string): void {
    writeFileSync(to, readFileSync(from));
  }

  /** Writes a manifest: JSON is YAML too. @returns its path */
  declares(declared: readonly ManifestDocument[], name = 'm.yaml'): string {
    this.#declared = declared;
    return this.writes(name, declared.map((each) => JSON.stringify(each, null, 1)).join('\n---\n'));
  }

  /** What was written last. */
  declared(): readonly ManifestDocument[] {
    return this.#declared;
  }

  /** What `plan` says, whose status has to go with it. */
  plans(...more: string[]): DocumentOf<'plan'> {
    const result = this.ground.netkit('plan', '-f', this.file('m.yaml'), '--json', ...more);
    expect([0, 8], result.stderr).toContain(result.status);
    const plan = documentOf(documents.plan, result);
    expect(result.status).toBe(plan.pending ? 8 : 0);
    return plan;
  }

  /** {@link plans} by the code of the command in this process, which need not start. */
  async plansHere(): Promise<DocumentOf<'plan'>> {
    const result = await this.ground.netkitHere('plan', '-f', this.file('m.yaml'), '--json');
    expect([0, 8], result.stderr).toContain(result.status);
    const plan = documentOf(documents.plan, result);
    expect(result.status).toBe(plan.pending ? 8 : 0);
    return plan;
  }

  /** {@link applies} in this process. */
  async appliesHere(...more: string[]): Promise<DocumentOf<'apply'>> {
    const result = await this.ground.netkitHere('apply', '-f', this.file('m.yaml'), '--json', ...more);
    expect(result.status, result.stderr).toBe(0);
    return documentOf(documents.apply, result);
  }

  /** Applies, which must succeed. */
  applies(...more: string[]): DocumentOf<'apply'> {
    const result = this.ground.does('apply', '-f', this.file('m.yaml'), '--json', ...more);
    return documentOf(documents.apply, result);
  }

  /** Applies, however it ends. */
  tries(...more: string[]): CliResult {
    return this.ground.netkit('apply', '-f', this.file('m.yaml'), '--json', ...more);
  }

  /** Unloads everything, and forgets the chains. */
  clears(): void {
    if (this.#hasSomething()) this.ground.does(...unloadingAll);
    this.#forgetsChains();
  }

  /** {@link clears} in this process. */
  async clearsHere(): Promise<void> {
    if (this.#hasSomething()) {
      const { status, stderr } = await this.ground.netkitHere(...unloadingAll);
      expect(status, stderr).toBe(0);
    }
    this.#forgetsChains();
  }

  #hasSomething(): boolean {
    const { stateDir } = this.ground.bpffs;
    const files = existsSync(stateDir) ? readdirSync(stateDir) : [];
    return this.ground.bpffs.pins().length > 0 || files.some((name) => name !== 'lock');
  }

  #forgetsChains(): void {
    const { stateDir } = this.ground.bpffs;
    if (!existsSync(stateDir)) return;
    for (const name of readdirSync(stateDir)) if (name.endsWith('.chain')) rmSync(join(stateDir, name));
  }

  /** A cgroup that is there as long as this. */
  cgroup(name: string): string {
    const found = this.#cgroups.get(name) ?? this.#scope.use(new TestCgroup());
    this.#cgroups.set(name, found);
    return found.path;
  }

  pin(...parts: string[]): string {
    return join(this.ground.bpffs.root.path, 'netkit', ...parts);
  }

  /** Ids of all that is pinned for a function: what runs on has the same ones. */
  identity(name = 'f'): string[] {
    const folder = this.pin(name);
    return this.ground.bpffs
      .pins()
      .filter((pin) => pin.startsWith(`netkit/${name}/`) && !pin.includes('/chain/'))
      .map((pin) => {
        const path = join(this.ground.bpffs.root.path, pin);
        const kind = pin.includes('/progs/') ? 'prog' : pin.includes('/maps/') ? 'map' : 'link';
        return `${path.slice(folder.length + 1)} ${identified.parse(bpftool(kind, 'show', 'pinned', path)).id}`;
      });
  }

  /** The names of a function's programs. */
  programs(name = 'f'): string[] {
    const folder = this.pin(name, 'progs');
    return readdirSync(folder).map(
      (pin) => named.parse(bpftool('prog', 'show', 'pinned', join(folder, pin))).name,
    );
  }

  /** The entries of a map in hexadecimal, by their keys. */
  entries(map: string, name = 'f'): Record<string, string> {
    return Object.fromEntries(bpftoolDump(this.pin(name, 'maps', map)).map(({ key, value }) => [key, value]));
  }

  map(map: string, name = 'f'): z.infer<typeof mapShow> {
    return mapShow.parse(bpftool('map', 'show', 'pinned', this.pin(name, 'maps', map)));
  }

  /** How much each program counted while something happened, in the order in which they ran. */
  async ran(event: () => void | Promise<void>, name = 'f'): Promise<Record<string, number>> {
    const before = this.#tallies(name);
    await event();
    const after = this.#tallies(name);
    return Object.fromEntries(
      after
        .map((tally, place) => ({
          ...tally,
          program: programs[place] ?? '',
          before: before[place]?.count ?? 0,
        }))
        .filter(({ count, before: old, program }) => count !== old && program !== '')
        .sort((one, other) => one.turn - other.turn)
        .map(({ program, count, before: old }) => [program, count - old]),
    );
  }

  /** {@link ran} for one packet that arrives at the defended host, which sends none. */
  arriving(name = 'f'): Promise<Record<string, number>> {
    const { netns, veth } = this.ground;
    const { address } = veth.b;
    // The packet is there before ping begins to wait.
    const args = ['-n', '-q', '-c', '1', '-W', '0.02', address];
    return this.ran(() => {
      ignoreEchoes(netns, true);
      try {
        const { stdout } = veth.a.netns.inside(() => spawnSync('ping', args, { encoding: 'utf8' }));
        expect(stdout).toMatch(/1 packets transmitted, 0 received/);
      } finally {
        ignoreEchoes(netns, false);
      }
    }, name);
  }

  /** The XDP program of the defended interface: its mode (1 native, 2 generic) and its name. */
  xdp(): { readonly mode: number; readonly name: string } | undefined {
    const text = this.ground.netns.run('ip', ['-j', '-d', 'link', 'show', 'dev', this.ground.ifname]);
    const [link] = withXdp.parse(JSON.parse(text));
    if (link?.xdp === undefined) return undefined;
    const { name } = named.parse(bpftool('prog', 'show', 'id', String(link.xdp.prog.id)));
    return { mode: link.xdp.mode, name };
  }

  /** The count of a program. */
  counted(program: string, name = 'f'): number {
    return this.#tallies(name)[programs.indexOf(program)]?.count ?? 0;
  }

  /** A library with probes. */
  library(): ProbedLibrary {
    this.#library ??= makeProbedLibrary(this.ground.bpffs.folder);
    return this.#library;
  }

  /** The programs that are attached to a cgroup. */
  onCgroup(name: string): string[] {
    return programsOnCgroup(this.cgroup(name));
  }

  #tallies(name: string): { readonly count: number; readonly turn: number }[] {
    return bpftoolDump(this.pin(name, 'maps', 'tallies')).map(({ value }) => {
      const bytes = Buffer.from(value, 'hex');
      return { count: Number(bytes.readBigUInt64LE(0)), turn: Number(bytes.readBigUInt64LE(8)) };
    });
  }

  [Symbol.dispose](): void {
    this.#scope[Symbol.dispose]();
  }
}

const unloadingAll = ['unload', '--all', '--yes', '--if-exists'];
const identified = z.looseObject({ id: z.int() });
const named = z.looseObject({ name: z.string() });
const mapShow = z.looseObject({ id: z.int(), max_entries: z.int() });
const withXdp = z.array(
  z.looseObject({
    xdp: z.optional(z.looseObject({ mode: z.int(), prog: z.looseObject({ id: z.int() }) })),
  }),
);

function ignoreEchoes(netns: TestNetns, ignore: boolean): void {
  netns.inside(() => writeFileSync('/proc/sys/net/ipv4/icmp_echo_ignore_all', ignore ? '1' : '0'));
}

/** A function, `f` unless it is called otherwise. */
export function functionOf(spec: Readonly<Record<string, unknown>>, name = 'f'): ManifestDocument {
  return { apiVersion: 'netkit/v1', kind: 'NetworkFunction', metadata: { name }, spec };
}

export function chainOf(spec: Readonly<Record<string, unknown>>, name = 'edge'): ManifestDocument {
  return { apiVersion: 'netkit/v1', kind: 'Chain', metadata: { name }, spec };
}

/** An attachment to the defended interface. */
export function attachedTo(g: ManifestGround, program: string, more: object = {}): Record<string, unknown> {
  return { program, hook: ingress, interfaces: [g.ground.ifname], netns: g.ground.netns.name, ...more };
}

/** Writes an entry past netkit. */
export function plant(g: ManifestGround, map: string, key: string, value: string, name = 'f'): void {
  const words = (hex: string) => hex.match(/../g) ?? [];
  run('bpftool', [
    ...['map', 'update', 'pinned', g.pin(name, 'maps', map), 'key', 'hex', ...words(key)],
    ...['value', 'hex', ...words(value)],
  ]);
}

export function statusOf(g: ManifestGround): DocumentOf<'status'> {
  return documentOf(documents.status, g.ground.does('status', '--json'));
}
