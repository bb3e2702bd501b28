import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { NetkitError } from '../../../../src/base/errors.js';
import { type PlannedMap, planMaps, type Succeeding } from '../../../../src/cnf/replacing/fates.js';
import type { OldMap } from '../../../../src/cnf/replacing/old-maps.js';
import type { MapInfo } from '../../../../src/ebpf/map-info.js';
import { listedMapName } from '../../../../src/obj/maps.js';
import { ObjectSpec } from '../../../../src/obj/spec.js';

const objects = join(import.meta.dirname, '../../../fixtures/objects');

function specOf(name: string): ObjectSpec {
  return ObjectSpec.parse(new Uint8Array(readFileSync(join(objects, `${name}.bpf.o`))), {
    path: `${name}.bpf.o`,
  });
}

interface Change {
  /** What the kernel has in place of what the object declares. */
  readonly there?: Readonly<Record<string, Partial<MapInfo>>>;
  readonly more?: Partial<Succeeding>;
  /** Changes the new object. */
  readonly spec?: (spec: ObjectSpec) => void;
}

/** What becomes of the maps when an object comes into its own place, with some changes. */
function planned(name: string, { there = {}, more = {}, spec: alter }: Change = {}): Map<string, PlannedMap> {
  const [spec, oldSpec] = [specOf(name), specOf(name)];
  alter?.(spec);
  const old = new Map(
    oldSpec.maps.map((map, index): [string, OldMap] => {
      const listed = listedMapName(map, 'f');
      const { type, keySize, valueSize, maxEntries, flags } = map;
      const declared = { type, keySize, valueSize, maxEntries, flags };
      const none = { btfId: 0, keyTypeId: 0, valueTypeId: 0, kernelBtfId: 0, kernelValueTypeId: 0 };
      const info = { id: index + 1, name: listed, ...declared, ...none, ...there[listed] };
      return [listed, { name: listed, info, declared: map }];
    }),
  );
  const plan = planMaps({
    function: 'f',
    spec,
    oldSpec,
    old,
    newMaps: new Set(),
    reuse: {},
    refersToOwn: () => false,
    ...more,
  });
  return new Map(plan.map((map) => [map.name, map]));
}

function refusal(change: Change): NetkitError {
  try {
    planned('maps', change);
  } catch (error) {
    if (error instanceof NetkitError) return error;
    throw error;
  }
  throw new Error('it was not refused');
}

describe('what becomes of maps when their function is replaced', () => {
  it('keeps maps of every type that is declared in the same way', () => {
    const fates = planned('maps');
    const others = [...fates.values()]
      .filter(({ fate }) => fate !== 'kept')
      .map(({ name, fate }) => [name, fate]);
    expect(others).toEqual([['stages', 'refilled']]);
    expect(fates.size).toBeGreaterThan(15);
  });

  it('keeps what the kernel rounds up, makes one a CPU of, or adds a flag to', () => {
    const fates = planned('maps', {
      there: { samples: { maxEntries: 2 }, ports: { flags: 0x80 } },
      spec: (spec) => spec.setMapSize('events', 4000),
    });
    for (const name of ['samples', 'ports', 'events']) expect(fates.get(name)?.fate, name).toBe('kept');
  });

  it('migrates what has more entries, and says so', () => {
    const { fate, reason, sides } =
      planned('maps', { spec: (spec) => spec.setMapSize('flows', 5000) }).get('flows') ?? {};
    expect([fate, reason]).toEqual(['migrated', 'entries 1024 became 5000']);
    expect([sides?.from.maxEntries, sides?.to.maxEntries]).toEqual([1024, 5000]);
  });

  it('migrates between hashes that forget and those that do not, and refuses other changes of the type', () => {
    expect(planned('maps', { there: { recent: { type: 'hash' } } }).get('recent')?.fate).toBe('migrated');
    const { code, message } = refusal({ there: { recent: { type: 'array' } } });
    expect([code, message]).toEqual([
      'conflict',
      "map 'recent' can be neither kept nor migrated: a map of type array is not one of type lru_hash",
    ]);
  });

  it.each([
    ['events', 'it is a stream'],
    ['queue', 'no keys'],
    ['filter', 'it only tells'],
    ['ports', 'what the kernel holds open'],
    ['tables', 'refer to maps or programs'],
  ])('refuses to migrate %s, unless it may begin empty', (map, why) => {
    const spec = (chosen: ObjectSpec): void => chosen.setMapSize(map, 1 << 20);
    const { message, hint, details } = refusal({ spec });
    expect(message).toContain(`map '${map}' can be neither kept nor migrated: entries `);
    expect(message).toContain(why);
    expect(hint).toContain(`--new-map ${map}`);
    expect(details['map']).toBe(map);
    expect(planned('maps', { spec, more: { newMaps: new Set([map]) } }).get(map)).toMatchObject({
      fate: 'new',
      reason: 'it was to be new',
    });
  });

  it('refuses a map of maps whose inner map is another one', () => {
    const spec = (chosen: ObjectSpec): void => chosen.setMapSize('tenant_a', 64);
    expect(refusal({ spec }).message).toContain("the object puts 'tenant_a' into it, which is another map");
  });

  it('refuses a table of programs with fewer slots', () => {
    expect(refusal({ spec: (spec) => spec.setMapSize('stages', 2) }).message).toContain(
      'it has 3 slots, not 2',
    );
  });

  it('keeps a table without programs of the object only while it holds none of the function', () => {
    const filled = planned('maps').get('stages');
    expect([...(filled?.filled ?? [])].length).toBeGreaterThan(0);
  });

  it('tells what is gone, what is reused and what is there for the first time', () => {
    const old = planned('maps', { more: { old: new Map(), reuse: { flows: 'g/flows' } } });
    expect(old.get('flows')).toMatchObject({ fate: 'reused', reason: 'it is g/flows' });
    expect(old.get('counts')).toMatchObject({ fate: 'new', reason: null });
    const fates = planned('maps', { more: { spec: specOf('pass') } });
    expect(new Set([...fates.values()].map(({ fate }) => fate))).toEqual(new Set(['gone']));
  });
});

describe('what becomes of global variables', () => {
  it('keeps those that programs write, and makes constants anew', () => {
    const fates = [...planned('globals').values()].map(({ name, fate }) => `${name} ${fate}`);
    expect(fates).toEqual(
      expect.arrayContaining([
        'f.data kept',
        'f.bss kept',
        '.data.own kept',
        'f.rodata new',
        '.rodata.tuning new',
      ]),
    );
  });

  it.each([
    ['f.data', 'generation', '4'],
    ['f.bss', 'total', '1'],
  ])('begins %s anew when one of its variables begins with another value', (map, variable, value) => {
    const fates = planned('globals', { spec: (spec) => spec.globals.set(variable, value) });
    expect(fates.get(map)).toMatchObject({ fate: 'new', reason: `'${variable}' begins with another value` });
  });

  it('begins sections anew when nobody knows what was in them', () => {
    const fates = planned('globals', { more: { oldSpec: undefined } });
    expect(fates.get('f.bss')).toMatchObject({
      fate: 'new',
      reason: 'nobody knows what variables are in it',
    });
  });
});
