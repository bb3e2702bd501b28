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

  it('takes byte orders that the type does not tell', () => {
    const map = spec.maps.find(({ name }) => name === 'prefixes_v4');
    if (map === undefined) throw new Error('no such map');
    const codec = mapCodec('value', map, typeOf(map, 'value'), { note: 'be32' });
    const view = new DataView(new ArrayBuffer(8));
    codec.encodeText('{"note":258}', view, 0);
    expect(view.getUint32(4)).toBe(258);
    expect(() => mapCodec('value', map, typeOf(map, 'value'), { port: 'be16' })).toThrow(
      "no integer member 'port'",
    );
    expect(() => mapCodec('value', { ...map, valueSize: 4 }, typeOf(map, 'value'), { note: 'be32' })).toThrow(
      'struct rule has 8 bytes, the values of this map have 4',
    );
  });

  it('is bytes without a type', () => {
    expect(mapCodec('key', untyped).format(mapCodec('key', untyped).parse('hex:0a000001'))).toBe(
      'hex:0a000001',
    );
    expect(mapCodec('value', untyped).size).toBe(8);
  });

  it.each([
    ['key', 4, '--key-type u32'],
    ['value', 8, '--value-type u64'],
    ['value', 24, "--value-type 'struct …' --types OBJ"],
  ] as const)('without a type tells which option gives a %s of %i bytes one', (part, size, option) => {
    const codec = mapCodec(part, { type: 'queue', keySize: size, valueSize: size });
    expect(() => codec.parse('7')).toThrow(
      expect.objectContaining({
        message: `${part}: '7' is not hex:… (${size} bytes)`,
        hint: `no type of the ${part}s is known: give one, such as ${option}, or the bytes as hex:…`,
      }),
    );
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
  ])('of the values of %s takes an id and gives one, and no bare number', (type, kind, form) => {
    const codec = mapCodec('value', { ...untyped, type, valueSize: 4 });
    const view = new DataView(new ArrayBuffer(4));
    codec.encode('id:12', view, 0);
    expect(codec.decode(view, 0)).toBe('id:12');
    expect(codec.describe()).toContain(form);
    for (const value of [12, '12', 'id:', 'id:-1', 'id:4294967296', 'fd:12'])
      expect(() => codec.encode(value, view, 0), String(value)).toThrow(
        `the value is a ${kind}: write it as id:N`,
      );
  });

  it.each([
    ['sk_storage', 'key', 4, 'a socket: fd:N'],
    ['task_storage', 'key', 4, 'a process: pid:N or fd:N'],
    ['cgroup_array', 'value', 4, 'a cgroup: the path of its folder or fd:N'],
    ['sockmap', 'value', 8, 'a socket: fd:N'],
  ] as const)(
    'that is a descriptor, of %s, is written as one, and no bare number',
    (type, part, size, form) => {
      const codec = mapCodec(part, { ...untyped, type, keySize: 4, valueSize: size });
      const view = new DataView(new ArrayBuffer(size));
      codec.encode('fd:7', view, 0);
      expect([codec.size, view.getUint8(0)]).toEqual([size, 7]);
      expect(codec.describe()).toBe(form);
      expect(codec.decode(view, 0)).toBe(size === 8 ? 'cookie:7' : 'fd:7');
      for (const value of [7, '7', 'cookie:7', 'id:7'])
        expect(() => codec.encode(value, view, 0), String(value)).toThrow('is not a ');
    },
  );

  it.each([
    ['devmap', { ifindex: 3, prog: 17 }],
    ['devmap_hash', { ifindex: 3, prog: 0 }],
    ['cpumap', { qsize: 192, prog: 0 }],
  ])(
    'of the values of %s, whose BTF no loader keeps, has two members, or one number where it has no more',
    (type, value) => {
      const codec = mapCodec('value', { ...untyped, type });
      const view = new DataView(new ArrayBuffer(8));
      codec.encode(value, view, 0);
      expect(codec.decode(view, 0)).toEqual(value);
      const [first = 0, second] = Object.values(value);
      expect([view.getUint32(0, true), view.getUint32(4, true)]).toEqual([first, second]);
      const short = mapCodec('value', { ...untyped, type, valueSize: 4 });
      expect(short.decode(view, 0)).toBe(first);
    },
  );
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
