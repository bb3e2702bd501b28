import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { NetkitError } from '../../../src/base/errors.js';
import { requirementsOf } from '../../../src/obj/requirements.js';
import { ObjectSpec } from '../../../src/obj/spec.js';

const fixture = (name: string) =>
  ObjectSpec.readSync(join(import.meta.dirname, `../../fixtures/objects/${name}.bpf.o`));

function needs(name: string, ...only: string[]) {
  const spec = fixture(name);
  if (only.length > 0) spec.only(only);
  return requirementsOf(spec);
}

const list = (name: string, ...only: string[]) => needs(name, ...only).requirements;

describe('what an object needs of a kernel', () => {
  it('is little for the smallest XDP program', () => {
    expect(needs('pass')).toEqual({
      since: '5.9',
      requirements: [
        { kind: 'program-type', type: 'xdp', since: '4.8', neededBy: ['pass'], optional: false },
        {
          kind: 'hook',
          type: 'xdp',
          attach: 'xdp',
          section: 'xdp',
          since: '5.9',
          neededBy: ['pass'],
          optional: false,
        },
      ],
    });
  });

  it('names helpers with the type of program and the version', () => {
    const found = list('needs', 'looping', 'whole').filter(({ kind }) => kind === 'helper');
    expect(found).toContainEqual(
      expect.objectContaining({ helper: 'loop', type: 'xdp', since: '5.17', neededBy: ['looping'] }),
    );
    expect(found).toContainEqual(expect.objectContaining({ helper: 'xdp_get_buff_len', since: '5.18' }));
    expect(found).toHaveLength(4);
  });

  it('names map types, those of global variables and of the configuration too', () => {
    const found = list('needs').filter(({ kind }) => kind === 'map-type');
    expect(found).toEqual([
      {
        kind: 'map-type',
        type: 'array',
        since: '3.19',
        neededBy: ['counters', '.bss', '.kconfig'],
        optional: false,
      },
      { kind: 'map-type', type: 'bloom_filter', since: '5.16', neededBy: ['seen'], optional: false },
    ]);
  });

  it('names settings of the kernel, and which the object does without', () => {
    const found = list('needs').filter(({ kind }) => kind === 'kconfig');
    expect(found).toEqual([
      expect.objectContaining({ name: 'CONFIG_HZ', optional: false }),
      expect.objectContaining({ name: 'CONFIG_NETKIT_NO_SUCH_SETTING', optional: true }),
    ]);
  });

  it('names instructions that came later, and frags', () => {
    const found = list('needs').flatMap((each) => (each.kind === 'instructions' ? [each.feature] : []));
    expect(found).toEqual(expect.arrayContaining(['atomics', 'cpu-v3', 'subprograms']));
    expect(found).not.toContain('cpu-v4');
    expect(list('needs').filter(({ kind }) => kind === 'xdp-frags')).toEqual([
      { kind: 'xdp-frags', since: '5.18', neededBy: ['whole'], optional: false },
    ]);
  });

  it('counts the chosen programs only, those that are off by default not', () => {
    const types = (...only: string[]) =>
      list('needs', ...only).flatMap((each) => (each.kind === 'program-type' ? [each.type] : []));
    expect(types()).toEqual(['xdp']);
    expect(types('reading', 'leaving')).toEqual(['tracing', 'sched_cls']);
  });

  it('names the function behind the section, kfuncs that may be missing, and the BTF of the kernel', () => {
    const found = list('needs', 'reading');
    expect(found).toContainEqual(
      expect.objectContaining({ kind: 'target', of: 'function', name: 'vfs_read', section: 'fentry' }),
    );
    expect(found).toContainEqual(
      expect.objectContaining({ kind: 'kfunc', name: 'bpf_rcu_read_lock', since: '6.2', optional: true }),
    );
    expect(found).toContainEqual(expect.objectContaining({ kind: 'kernel-btf', optional: false }));
  });

  it('does not wait for tcx, in whose place there is another way', () => {
    const { since, requirements } = needs('needs', 'leaving');
    expect(requirements).toContainEqual(
      expect.objectContaining({ kind: 'hook', attach: 'tcx_egress', since: '6.6' }),
    );
    expect(since).toBe('5.16');
  });

  it('sees the calls of subprograms', () => {
    const helpers = list('subprograms').flatMap((each) => (each.kind === 'helper' ? [each.helper] : []));
    expect(helpers.length).toBeGreaterThan(0);
    expect(list('subprograms')).toContainEqual(
      expect.objectContaining({ kind: 'instructions', feature: 'subprograms' }),
    );
  });

  it.each(['globals', 'maps', 'many', 'tc', 'tcx', 'nobtf', 'kinds', 'legacy', 'chain', 'ulong', 'pinned'])(
    'is told for the fixture %s, each need once',
    (name) => {
      const { requirements } = needs(name);
      const keys = requirements.map(({ neededBy, since, optional, ...need }) => JSON.stringify(need));
      expect(new Set(keys).size).toBe(keys.length);
      expect(requirements.length).toBeGreaterThan(0);
    },
  );

  it('is told for a damaged object, or refused as bad-object, and nothing else', () => {
    const original = readFileSync(join(import.meta.dirname, '../../fixtures/objects/needs.bpf.o'));
    let [told, refused, seed] = [0, 0, 12_345];
    const random = (below: number): number => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
      return Math.floor((seed / 2 ** 32) * below);
    };
    for (let round = 0; round < 3000; round++) {
      const bytes = new Uint8Array(original);
      for (let flips = random(4); flips >= 0; flips--) bytes[random(bytes.length)] = random(256);
      try {
        const spec = ObjectSpec.parse(bytes);
        spec.only(spec.programs.map(({ name }) => name));
        requirementsOf(spec);
        told += 1;
      } catch (error) {
        if (!(error instanceof NetkitError)) throw error;
        expect(['bad-object', 'usage', 'not-found']).toContain(error.code);
        refused += 1;
      }
    }
    expect(told).toBeGreaterThan(500);
    expect(refused).toBeGreaterThan(100);
  });
});
