import { describe, expect, it } from 'vitest';
import { mapCodec, type PartType } from '../../../src/obj/map-codecs.js';
import { listedMapName } from '../../../src/obj/maps.js';
import type { MapSpec } from '../../../src/obj/spec.js';
import { objectSpec } from './fixtures.js';

const spec = objectSpec('maps');
const untyped = { type: 'hash', keySize: 4, valueSize: 8 };

function typeOf(map: MapSpec, part: 'key' | 'value'): PartType | undefined {
  const id = part === 'key' ? map.keyType : map.valueType;
  return spec.btf === undefined || id === undefined ? undefined : { btf: spec.btf, id };
}

describe('the codec of a key or value', () => {
  it('comes from its type, a prefix for the keys of a longest-prefix-match map', () => {
    const map = spec.maps.find(({ type }) => type === 'lpm_trie');
    if (map === undefined) throw new Error('no prefix map');
    expect(mapCodec('key', map, typeOf(map, 'key')).describe()).toBe('10.0.0.0/8');
    expect(mapCodec('value', map, typeOf(map, 'value')).describe()).toMatch(/^\{/);
  });

  it('is bytes without a type', () => {
    expect(mapCodec('key', untyped).format(mapCodec('key', untyped).parse('hex:0a000001'))).toBe(
      'hex:0a000001',
    );
    expect(mapCodec('value', untyped).size).toBe(8);
  });

  it('is a number for the index of an array, also without a type', () => {
    for (const type of ['array', 'percpu_array', 'prog_array', 'array_of_maps'])
      expect(mapCodec('key', { ...untyped, type }).parse('7'), type).toBe(7);
    expect(mapCodec('value', { ...untyped, type: 'array' }).typeName).toBe('8 bytes');
    // No kernel makes such a map, but a damaged object may ask for it.
    expect(mapCodec('key', { ...untyped, type: 'array', keySize: 8 }).typeName).toBe('8 bytes');
  });

  it('is bytes where the type has another width than the map', () => {
    const map = spec.maps.find(({ type, keyType }) => type === 'hash' && keyType !== undefined);
    if (map === undefined) throw new Error('no hash');
    const wider = { ...map, keySize: map.keySize + 4 };
    expect(mapCodec('key', wider, typeOf(map, 'key')).typeName).toBe(`${wider.keySize} bytes`);
  });

  it.each([
    ['array_of_maps', 'map', 'a map: FUNCTION/MAP'],
    ['hash_of_maps', 'map', 'a map: FUNCTION/MAP'],
    ['prog_array', 'program', 'a program: FUNCTION/PROGRAM'],
  ])('of the values of %s takes a descriptor and gives an id', (type, kind, form) => {
    const codec = mapCodec('value', { ...untyped, type, valueSize: 4 });
    const view = new DataView(new ArrayBuffer(4));
    codec.encode(12, view, 0);
    expect(codec.decode(view, 0)).toBe('id:12');
    expect(codec.describe()).toContain(form);
    expect(() => codec.encode('12', view, 0)).toThrow(`the value is a ${kind}: write it with setReference`);
  });
});

describe('the name that a map is listed under', () => {
  it.each([
    ['declared', 'blocklist', 'blocklist'],
    ['data', '.bss', 'fw.bss'],
    ['data', '.rodata', 'fw.rodata'],
    ['data', '.rodata.config', '.rodata.config'],
  ] as const)('for a %s map %s is %s', (kind, name, listed) => {
    expect(listedMapName({ kind, name }, 'fw')).toBe(listed);
  });
});
