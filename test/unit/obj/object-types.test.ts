import { describe, expect, it } from 'vitest';
import type { NetkitError } from '../../../src/base/errors.js';
import { checkTypes, type ObjectSignature, type ObjectTypes } from '../../../src/obj/object-types.js';
import { ObjectSpec } from '../../../src/obj/spec.js';
import { Digests } from '../../../src/obj/value-types/digest.js';
import { objectValues } from '../../../src/obj/value-types/object.js';
import { sourceOf } from '../../support/types-source.js';
import { globals } from '../../types/globals.types.js';
import { maps } from '../../types/maps.types.js';
import { objectBytes, objectPath } from './fixtures.js';

function refusal(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    const { code, message, hint } = error as NetkitError;
    return `${code}: ${message} | ${hint}`;
  }
  return 'nothing';
}

describe('an object that is read with its types', () => {
  it('is taken when it has all of them', async () => {
    expect(ObjectSpec.readSync(objectPath('maps'), { types: maps }).name).toBe('maps');
    expect((await ObjectSpec.read(objectPath('globals'), { types: globals })).globals.get('rate')).toBe(1000);
    const spec = ObjectSpec.parse(objectBytes('globals'), { types: globals });
    spec.globals.set('limits', { rate: 7, ports: [{ first: 1 }] });
    expect(spec.globals.get('limits')).toMatchObject({
      rate: 7,
      ports: [{ first: 1, last: 0 }, { first: 0 }],
    });
  });

  it('is taken when it has more', () => {
    const { counts } = maps.maps;
    const fewer: ObjectTypes<ObjectSignature> = { ...maps, programs: ['tail'], maps: { counts } };
    expect(() => ObjectSpec.parse(objectBytes('maps'), { types: fewer })).not.toThrow();
  });

  it.each<[string, Partial<ObjectTypes<ObjectSignature>>, string]>([
    ['a program', { programs: ['mapz'] }, "it has no program 'mapz' | did you mean"],
    ['a map', { maps: { flow: maps.maps.flows } }, "it has no map 'flow' | did you mean"],
    ['a variable', { globals: { rate: '0' } }, "it has no global variable 'rate'"],
    ['the type of a map', { maps: { flows: 'array 0' } }, "the map 'flows' is of type hash, not array"],
    [
      'what is in a map',
      { maps: { flows: 'hash 0' } },
      "keys or values of the map 'flows' are of other types",
    ],
  ])('is a conflict that names %s which is not there or is another', (_what, change, said) => {
    const found = refusal(() =>
      ObjectSpec.parse(objectBytes('maps'), {
        path: 'm.o',
        types: { object: maps.object, programs: [], maps: {}, globals: {}, ...change },
      }),
    );
    expect(found).toContain(
      'conflict: m.o: not the object that its types were generated from (maps.bpf.o): ',
    );
    expect(found).toContain(said);
  });

  it('is a conflict when a variable is of another type', () => {
    const types = { ...globals, globals: { ...globals.globals, rate: globals.globals.budget } };
    const found = refusal(() => ObjectSpec.parse(objectBytes('globals'), { types }));
    expect(found).toContain("the global variable 'rate' is of another type");
  });
});

describe('the digest of a map', () => {
  type Value = Parameters<typeof sourceOf>[0][string]['value'];
  const digestOf = (value: Value): string => {
    const map = objectValues(sourceOf({ m: { value } }).source).maps.get('m');
    return map === undefined ? '' : new Digests().ofMap(map);
  };
  const struct =
    (
      name: string,
      members: readonly (readonly [string, 'u16' | 'u32' | 'u64' | 'be32' | 's32'])[],
      offset = 8,
    ): Value =>
    (btf, c) =>
      btf.struct(
        name,
        members.length * offset,
        members.map(([member, type], at) => ({ name: member, type: c[type], offset: at * offset })),
      );
  const original = struct('s', [
    ['a', 'u32'],
    ['b', 'u64'],
  ]);

  it('does not depend on what nobody sees who reads values: the tag, the places', () => {
    expect(
      digestOf(
        struct('other', [
          ['a', 'u32'],
          ['b', 'u64'],
        ]),
      ),
    ).toBe(digestOf(original));
    expect(
      digestOf(
        struct(
          's',
          [
            ['a', 'u32'],
            ['b', 'u64'],
          ],
          16,
        ),
      ),
    ).toBe(digestOf(original));
  });

  it.each<[string, Value]>([
    [
      'a member',
      struct('s', [
        ['a', 'u32'],
        ['c', 'u64'],
      ]),
    ],
    [
      'a width',
      struct('s', [
        ['a', 'u16'],
        ['b', 'u64'],
      ]),
    ],
    [
      'a sign',
      struct('s', [
        ['a', 's32'],
        ['b', 'u64'],
      ]),
    ],
    [
      'a byte order',
      struct('s', [
        ['a', 'be32'],
        ['b', 'u64'],
      ]),
    ],
    [
      'the first member, which can stand alone,',
      struct('s', [
        ['b', 'u64'],
        ['a', 'u32'],
      ]),
    ],
    [
      'one more member',
      struct('s', [
        ['a', 'u32'],
        ['b', 'u64'],
        ['c', 'u32'],
      ]),
    ],
  ])('is another when %s is another', (_what, value) => {
    expect(digestOf(value)).not.toBe(digestOf(original));
  });

  it('is another when an enum has one more name', () => {
    const withNames =
      (...names: string[]): Value =>
      (btf) =>
        btf.enum('e', Object.fromEntries(names.map((name, at) => [name, at])));
    expect(digestOf(withNames('a', 'b'))).not.toBe(digestOf(withNames('a')));
  });

  it('is quickly made of structs that double with every level', () => {
    const deep: Value = (btf, c) => {
      let type: number = c.u32;
      for (let level = 0; level < 10; level++) {
        const size = 4 << (level + 1);
        type = btf.struct(`s${level}`, size, [
          { name: 'x', type, offset: 0 },
          { name: 'y', type, offset: size / 2 },
        ]);
      }
      return type;
    };
    expect(digestOf(deep)).toMatch(/^hash [0-9a-f]{16}$/);
  });
});

describe('checking', () => {
  it('asks for nothing that the types do not name', () => {
    const { source } = sourceOf({ m: { value: (_, c) => c.u64 } });
    expect(() => checkTypes(source, { object: '', programs: [], maps: {}, globals: {} })).not.toThrow();
  });
});
