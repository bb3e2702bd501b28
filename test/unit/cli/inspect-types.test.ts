import { describe, expect, it } from 'vitest';
import { namedTypes } from '../../../src/cli/inspect-types.js';
import { objectSpec } from '../obj/fixtures.js';

function typesOf(object: 'globals' | 'maps') {
  const { btf, globals, maps } = objectSpec(object);
  if (btf === undefined) throw new Error(`${object} has no BTF`);
  const roots = [
    ...maps
      .filter(({ kind }) => kind === 'declared')
      .flatMap(({ keyType, valueType }) => [keyType, valueType]),
    ...globals.list().map(({ type }) => type),
  ];
  return namedTypes(
    btf,
    roots.filter((id) => id !== undefined),
  );
}

describe('the types that an object uses', () => {
  it('are each there once', () => {
    const names = typesOf('maps').map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(names).toEqual(
      expect.arrayContaining([
        'struct flow',
        'struct counters',
        'struct prefix_v4',
        'struct rule',
        'enum action',
      ]),
    );
  });

  it('come before what they are used in', () => {
    const names = typesOf('globals').map(({ name }) => name);
    expect(names.indexOf('struct range')).toBeLessThan(names.indexOf('struct limits'));
    expect(names.indexOf('enum action')).toBeLessThan(names.indexOf('struct limits'));
  });

  it('have their size and their declaration in C', () => {
    expect(typesOf('globals').find(({ name }) => name === 'struct range')).toEqual({
      name: 'struct range',
      size: 4,
      declaration: 'struct range {\n\t__u16 first;\n\t__u16 last;\n}',
    });
  });

  it('leave out numbers under another name', () => {
    expect(typesOf('maps').filter(({ name }) => name.startsWith('__'))).toEqual([]);
  });
});
