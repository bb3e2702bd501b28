import type { TypesSource } from '../../src/build/types-module.js';
import { readBtf } from '../../src/obj/btf/read.js';
import type { Codec } from '../../src/obj/codec/index.js';
import { mapCodec } from '../../src/obj/map-codecs.js';
import type { MapSpec } from '../../src/obj/spec.js';
import { type CTypes, cTypes } from '../unit/obj/codec/support.js';
import { objectSpec } from '../unit/obj/fixtures.js';
import { BtfBuilder } from './btf-builder.js';

type Build = (btf: BtfBuilder, c: CTypes) => number;

/** What an object with these maps would be, without a file: for each a type of map, its key's and its value's type. */
export function sourceOf(
  maps: Readonly<
    Record<string, { readonly type?: MapSpec['type']; readonly key?: Build; readonly value: Build }>
  >,
  more: Partial<Pick<TypesSource, 'name' | 'programs' | 'globals'>> = {},
): { source: TypesSource; valueCodecs: ReadonlyMap<string, Codec> } {
  const builder = new BtfBuilder();
  const c = cTypes(builder);
  const ids = Object.entries(maps).map(([name, { type = 'hash', key, value }]) => {
    return { name, type, key: key?.(builder, c) ?? c.u32, value: value(builder, c) };
  });
  const btf = readBtf(builder.bytes());
  const pattern = objectSpec('maps').map('flows');
  const specs = ids.map(
    ({ name, type, key, value }): MapSpec => ({
      ...pattern,
      name,
      type,
      keySize: btf.sizeOf(key),
      keyType: key,
      valueSize: btf.sizeOf(value),
      valueType: value,
    }),
  );
  const source = { name: 'fuzz', path: 'fuzz.bpf.o', btf, programs: [], maps: specs, globals: [], ...more };
  const valueCodecs = new Map(
    specs.map((map) => [map.name, mapCodec('value', map, { btf, id: map.valueType ?? 0 })]),
  );
  return { source, valueCodecs };
}
