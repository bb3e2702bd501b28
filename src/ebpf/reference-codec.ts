import { NetkitError } from '../base/errors.js';
import type { Codec, Value } from '../obj/codec/index.js';

/** What the entries of a map refer to, by its type. */
export const referenceTypes: Readonly<Record<string, 'map' | 'program'>> = {
  array_of_maps: 'map',
  hash_of_maps: 'map',
  prog_array: 'program',
};

const descriptorBytes = 4;
// x86-64 and arm64 are little-endian.
const littleEndian = true;

/**
 * Values of maps of maps and of program arrays. The kernel takes a descriptor and gives an id back: `id:12` comes out,
 * and only a number, which is a descriptor of this process, goes in (`BpfMap.setReference`).
 */
export function referenceCodec(to: 'map' | 'program'): Codec {
  const write = (value: Value, view: DataView, offset: number): void => {
    if (typeof value !== 'number') {
      throw new NetkitError('bad-value', `the value is a ${to}: write it with setReference`);
    }
    view.setUint32(offset, value, littleEndian);
  };
  return {
    size: descriptorBytes,
    typeName: `reference to a ${to}`,
    encode: write,
    decode: (view, offset) => `id:${view.getUint32(offset, littleEndian)}`,
    parse: (text) => text,
    format: (value) => String(value),
    describe: () => `FUNCTION/${to === 'map' ? 'MAP' : 'PROGRAM'}, id:N, name:TEXT or the path of a pin`,
    encodeText: write,
  };
}
