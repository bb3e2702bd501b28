/** What tests of upgrades share: functions that judge numbered packets, declared by manifests, release after release. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { BpfMap } from '../../src/ebpf/map.js';
import type { CliResult } from '../support/cli.js';
import type { KernelCapabilityName } from '../support/known-kernels.js';
import { bpftool, type Ground } from './ground.js';

/** Programs of test/fixtures/traffic.bpf.c, compiled with GRADED, and where they are attached. */
export interface JudgingKind {
  readonly what: string;
  /** To be loaded; the object's table of programs asks for `last`. */
  readonly programs: readonly string[];
  /** In the order in which packets meet them. */
  readonly attached: readonly string[];
  readonly hook: 'xdp' | 'tcx/ingress';
  readonly direct: boolean;
  readonly needs: readonly KernelCapabilityName[];
}

export const judgingKinds: readonly JudgingKind[] = [
  {
    what: 'an XDP link',
    programs: ['alone', 'last'],
    attached: ['alone'],
    hook: 'xdp',
    direct: true,
    needs: [],
  },
  {
    what: 'a program that tail-calls another',
    programs: ['entry', 'last'],
    attached: ['entry'],
    hook: 'xdp',
    direct: true,
    needs: [],
  },
  {
    what: 'a chain of two members by tail calls',
    programs: ['ahead', 'behind', 'last'],
    attached: ['ahead', 'behind'],
    hook: 'xdp',
    direct: false,
    needs: [],
  },
  {
    what: 'a tcx link',
    programs: ['ingress', 'last'],
    attached: ['ingress'],
    hook: 'tcx/ingress',
    direct: false,
    needs: ['tcx'],
  },
];

export interface Release {
  readonly release: number;
  /** After how many packets it finds fault with each; never when left out. */
  readonly faulty?: number;
  /** The size of `seen`: another one has it migrated. */
  readonly seen: number;
  readonly health?: object;
}

const perCpu = z.array(z.object({ packets: z.coerce.bigint(), sum: z.coerce.bigint() }));

export interface Tally {
  readonly packets: bigint;
  readonly sum: bigint;
}

/** The function `f` of one kind. */
export class Judging {
  readonly ground: Ground;
  readonly manifest: string;
  readonly #object: string;
  readonly #kind: JudgingKind;

  constructor(ground: Ground, object: string, kind: JudgingKind) {
    this.ground = ground;
    this.#object = object;
    this.#kind = kind;
    this.manifest = join(ground.bpffs.folder, 'f.json');
  }

  /** Writes the manifest. */
  declares({ release, faulty = 0, seen, health }: Release): void {
    const { attached, programs, hook, direct } = this.#kind;
    const place = { hook, interfaces: [this.ground.ifname], netns: this.ground.netns.name };
    const document = {
      apiVersion: 'netkit/v1',
      kind: 'NetworkFunction',
      metadata: { name: 'f' },
      spec: {
        program: { object: this.#object, only: programs },
        globals: { release, faulty },
        maps: { seen: { maxEntries: seen } },
        attach: attached.map((program, index) => ({
          program,
          ...place,
          ...(direct ? { direct: true } : hook === 'xdp' ? { priority: 10 + index } : {}),
        })),
        ...(health === undefined ? {} : { health }),
      },
    };
    writeFileSync(this.manifest, JSON.stringify(document));
  }

  /** Declares a release and upgrades to it, however that ends. */
  async upgrades(release: Release, ...more: string[]): Promise<CliResult> {
    this.declares(release);
    const result = await this.ground.runs(['upgrade', '-f', this.manifest, '--json', '--quiet', ...more]);
    if (result === undefined) throw new Error('killed');
    return result;
  }

  /** What was judged by one release. */
  judged(release: number): Tally {
    using map = this.#map('judged');
    return total(perCpu.parse(map.get(release)));
  }

  /** What was judged by all releases up to one. */
  judgedUpTo(release: number): Tally {
    using map = this.#map('judged');
    return total(Array.from({ length: release + 1 }, (_, each) => total(perCpu.parse(map.get(each)))));
  }

  /** How much a release judged, by the map that is migrated; undefined where it has no entry. */
  seen(release: number): bigint | undefined {
    using map = this.#map('seen');
    const value = map.get(release);
    return value === undefined ? undefined : BigInt(String(value));
  }

  /** The ids of its maps, by their names. */
  mapIds(): Record<string, number> {
    const names = ['judged', 'seen', 'outcomes'];
    return Object.fromEntries(
      names.map((name) => [name, identified.parse(bpftool('map', 'show', 'pinned', this.#pin(name))).id]),
    );
  }

  #map(name: string): BpfMap {
    return BpfMap.fromPin(this.#pin(name));
  }

  #pin(name: string): string {
    return join(this.ground.bpffs.root.path, 'netkit/f/maps', name);
  }
}

const identified = z.looseObject({ id: z.int() });

function total(tallies: readonly Tally[]): Tally {
  return {
    packets: tallies.reduce((sum, { packets }) => sum + packets, 0n),
    sum: tallies.reduce((all, { sum }) => all + sum, 0n),
  };
}

/** Packets that did not get to a member of the chain by tail calls, if there is one. */
export function missedBy(ground: Ground): bigint {
  const pin = ground.bpffs.pins().find((each) => /^netkit\/_chain\/.*\/way$/.test(each));
  if (pin === undefined) return 0n;
  using way = BpfMap.fromPin(join(ground.bpffs.root.path, pin));
  const ways = z.array(z.object({ missed: z.coerce.bigint() })).parse(way.get(0));
  return ways.reduce((sum, { missed }) => sum + missed, 0n);
}
