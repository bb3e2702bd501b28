/** Fields whose change is no change of a function: what happens instead is said here of each. */
import { expect } from 'vitest';
import type { Requirements } from '../support/requirements.js';
import { namedFields, put } from './apply-rows.js';
import { errorOf } from './ground.js';
import {
  attachedTo,
  chainOf,
  functionOf,
  ingress,
  type ManifestDocument,
  type ManifestGround,
} from './manifest-ground.js';

/** A field and what becomes of a change to it, in words. */
export interface SaidRow {
  readonly field: string;
  readonly says: string;
  readonly needs?: Requirements;
  readonly prove: (g: ManifestGround) => void | Promise<void>;
}

const plain = (g: ManifestGround): ManifestDocument[] => [
  functionOf({ program: { object: g.object, only: ['one'] }, attach: [attachedTo(g, 'one')] }),
];
const chained = (g: ManifestGround): ManifestDocument[] => [
  functionOf({ program: { object: g.object, only: ['one'] } }),
  chainOf({ interface: g.ground.ifname, netns: g.ground.netns.name, hook: ingress, functions: ['f'] }),
];

interface Refused {
  readonly base: (g: ManifestGround) => ManifestDocument[];
  readonly of?: number;
  readonly at: string;
  readonly to: unknown;
  readonly status: number;
  readonly message: RegExp;
}

/** The change is refused, by plan and by apply, and what runs goes on. */
function refused({ base, of = 0, at, to, status, message }: Refused) {
  return async (g: ManifestGround): Promise<void> => {
    g.clears();
    const documents = base(g);
    g.declares(documents);
    g.applies();
    const before = g.identity();
    g.declares(documents.map((each, index) => (index === of ? put(each, at, to) : each)));
    for (const command of ['plan', 'apply']) {
      const result = g.ground.netkit(command, '-f', g.file('m.yaml'), '--json');
      const all = `${result.stdout}${result.stderr}`;
      expect(result.status, all).toBe(status);
      expect(errorOf(result).message).toMatch(message);
    }
    expect(g.identity()).toEqual(before);
    expect(await g.arriving()).toEqual({ one: 1 });
    g.declares(documents);
    expect(g.plans()).toMatchObject({ pending: false });
  };
}

const place = String.raw`m\.yaml:\d+:\d+: `;

function head(kind: 'NetworkFunction' | 'Chain'): SaidRow[] {
  const base = kind === 'Chain' ? chained : plain;
  const of = kind === 'Chain' ? 1 : 0;
  return [
    {
      field: `${kind}.apiVersion`,
      says: 'another version is refused',
      prove: refused({
        ...{ base, of, at: 'apiVersion', to: 'netkit/v2', status: 1 },
        message: new RegExp(`${place}apiVersion: expected 'netkit/v1', not 'netkit/v2'`),
      }),
    },
    {
      field: `${kind}.kind`,
      says: 'an unknown one is refused, and the other one does not fit what is declared',
      prove: async (g) => {
        const message = new RegExp(`${place}kind: expected 'NetworkFunction' or 'Chain', not 'Chains'`);
        await refused({ base, of, at: 'kind', to: 'Chains', status: 1, message })(g);
        const other = kind === 'Chain' ? 'NetworkFunction' : 'Chain';
        await refused({ base, of, at: 'kind', to: other, status: 1, message: new RegExp(place) })(g);
      },
    },
  ];
}

const probed = (g: ManifestGround): ManifestDocument[] => [
  functionOf({
    program: { object: g.object, only: ['one'] },
    attach: [attachedTo(g, 'one')],
    health: { probe: { map: 'words', key: 1, op: '==', value: 0 }, settle: '20ms' },
  }),
];

function comparedWith(kind: 'list' | 'mapping', to: unknown): SaidRow {
  return {
    field: `NetworkFunction.spec.health.probe(map).value(${kind})`,
    says: 'is nothing to compare with, and refused',
    prove: refused({
      ...{ base: probed, at: 'spec.health.probe.value', to, status: 1 },
      message: new RegExp(`${place}spec\\.health\\.probe\\.value: a single value is compared with`),
    }),
  };
}

export const saidRows: readonly SaidRow[] = [
  ...head('NetworkFunction'),
  ...head('Chain'),
  {
    field: 'NetworkFunction.metadata.name',
    says: 'another name is another function, and the old one is left, or goes with --prune',
    prove: async (g) => {
      g.clears();
      const documents = (name: string) => [
        functionOf({ program: { object: g.object, only: ['one'] }, attach: [attachedTo(g, 'one')] }, name),
      ];
      g.declares(documents('f'));
      g.applies();
      const before = g.identity();
      g.declares(documents('other'));
      const plan = g.plans();
      expect(plan).toMatchObject({
        functions: [{ name: 'other', verb: 'create' }],
        left: ['f'],
        removed: [],
      });
      expect(namedFields(plan)).toEqual([]);
      expect(g.applies()).toMatchObject({ left: ['f'] });
      expect(g.identity()).toEqual(before);
      expect([await g.arriving('f'), await g.arriving('other')]).toEqual([{ one: 1 }, { one: 1 }]);
      expect(g.plans()).toMatchObject({ pending: false, left: ['f'] });
      expect(g.plans('--prune')).toMatchObject({ pending: true, removed: ['f'], left: [] });
      expect(g.applies('--prune', '--yes')).toMatchObject({ removed: ['f'] });
      expect(g.ground.list().map(({ name }) => name)).toEqual(['other']);
      expect(g.plans('--prune')).toMatchObject({ pending: false, left: [], removed: [] });
    },
  },
  {
    field: 'Chain.metadata.name',
    says: 'another name is another chain: where the old one is, there can be no second, unless that is pruned',
    prove: async (g) => {
      g.clears();
      g.declares(chained(g));
      g.applies();
      const before = g.identity();
      g.declares(
        chained(g).map((each) => (each.kind === 'Chain' ? put(each, 'metadata.name', 'rim') : each)),
      );
      for (const command of ['plan', 'apply']) {
        const result = g.ground.netkit(command, '-f', g.file('m.yaml'), '--json');
        expect(errorOf(result).message).toMatch(
          new RegExp(`${place}spec\\.interface: the chain 'edge' is on .* already`),
        );
      }
      expect(g.identity()).toEqual(before);
      const plan = g.plans('--prune');
      expect(plan.chains).toMatchObject([
        { name: 'rim', verb: 'create' },
        { name: 'edge', verb: 'delete' },
      ]);
      g.applies('--prune', '--yes');
      expect(await g.arriving()).toEqual({ one: 1 });
      expect(g.plans('--prune')).toMatchObject({ pending: false });
    },
  },
  {
    field: 'NetworkFunction.spec.program(builtin).builtin',
    says: 'one that does not come with netkit is refused',
    prove: (g) => {
      g.clears();
      g.declares([functionOf({ program: { builtin: 'firewall' } })]);
      g.applies();
      const before = g.identity();
      g.declares([functionOf({ program: { builtin: 'firewal' } })]);
      expect(errorOf(g.tries()).message).toMatch(
        new RegExp(`${place}spec\\.program(\\.builtin)?: .*'firewal'`),
      );
      expect(g.identity()).toEqual(before);
    },
  },
  {
    field: 'NetworkFunction.spec.program(builtin).targets.*',
    says: 'the firewall has no tracing programs: refused by plan',
    prove: (g) => {
      g.clears();
      g.declares([functionOf({ program: { builtin: 'firewall' } })]);
      g.applies();
      const before = g.identity();
      g.declares([functionOf({ program: { builtin: 'firewall', targets: { firewall: 'vfs_read' } } })]);
      for (const command of ['plan', 'apply']) {
        const result = g.ground.netkit(command, '-f', g.file('m.yaml'), '--json');
        expect(result.status, result.stdout).toBe(1);
        expect(errorOf(result).message).toMatch(
          new RegExp(`${place}spec\\.program\\.targets\\.firewall: 'firewall' .* takes no target`),
        );
      }
      expect(g.identity()).toEqual(before);
    },
  },
  comparedWith('list', [0]),
  comparedWith('mapping', { a: 0 }),
  {
    field: 'NetworkFunction.spec.attach[].mode',
    says: 'offload is refused where the card cannot, and what runs goes on',
    prove: async (g) => {
      g.clears();
      const documents = (more: object) => [
        functionOf({
          program: { object: g.object, only: ['xdp_one'] },
          attach: [attachedTo(g, 'xdp_one', { hook: 'xdp', ...more })],
        }),
      ];
      g.declares(documents({}));
      g.applies();
      const before = [g.identity(), g.xdp()?.mode];
      g.declares(documents({ mode: 'offload' }));
      expect(g.tries('--allow-gap').status).not.toBe(0);
      expect([g.identity(), g.xdp()?.mode].slice(1)).toEqual(before.slice(1));
      expect(await g.arriving()).toEqual({ xdp_one: 1 });
      g.declares(documents({}));
      expect(g.plans()).toMatchObject({ pending: false });
    },
  },
];
