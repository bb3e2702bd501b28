import { describe, expect, test } from 'vitest';
import { btfForMap } from '../../../../src/obj/btf/map-types.js';
import { readBtf } from '../../../../src/obj/btf/read.js';
import { codecForWord, typeWords } from '../../../../src/obj/codec/index.js';
import { mapCodec } from '../../../../src/obj/map-codecs.js';
import { BtfBuilder } from '../../../support/btf-builder.js';
import { refusal } from '../codec/support.js';

const width = 12;

describe('BTF made for type words', () => {
  for (const word of typeWords.filter((each) => each !== 'bytes:N')) {
    test(`${word}: keys have the form of the word`, () => {
      const codec = codecForWord(word, word === 'string' ? { size: width } : {});
      const blob = btfForMap({ key: { word, size: width }, value: { word: 'u64' } });
      if (blob === undefined) throw new Error('no BTF');
      const btf = readBtf(blob.bytes);
      const map = {
        type: word.startsWith('prefix') ? 'lpm_trie' : 'hash',
        keySize: codec.size,
        valueSize: 8,
      };
      const made = mapCodec('key', map, { btf, id: blob.key });
      expect(made.describe().replaceAll('…', '')).toBe(codec.describe().replaceAll('…', ''));
      const bytes = Uint8Array.from({ length: codec.size }, (_, at) =>
        word === 'string' ? 97 + at : at + 1,
      );
      const view = new DataView(bytes.buffer);
      expect(made.decode(view, 0)).toEqual(codec.decode(view, 0));
      expect(mapCodec('value', map, { btf, id: blob.value }).describe()).toBe('u64');
    });
  }

  test('one type for key and value stands there once', () => {
    const blob = btfForMap({ key: { word: 'u32' }, value: { word: 'u32' } });
    expect(blob?.key).toBe(blob?.value);
    expect(readBtf(blob?.bytes ?? new Uint8Array(0)).count).toBe(3);
  });

  test('a word beside a type of an object', () => {
    const builder = new BtfBuilder();
    const id = builder.struct('s', 4, [
      { name: 'x', type: builder.int('int', 4, { signed: true }), offset: 0 },
    ]);
    const blob = btfForMap({ key: { word: 'mac' }, value: { btf: readBtf(builder.bytes()), id } });
    const btf = readBtf(blob?.bytes ?? new Uint8Array(0));
    expect([btf.nameOf(blob?.key ?? 0), btf.nameOf(blob?.value ?? 0)]).toEqual(['mac_addr', 'struct s']);
  });

  test('what has no type has none', () => {
    expect(btfForMap({})).toBeUndefined();
    expect(btfForMap({ key: { word: 'bytes:7' } })).toBeUndefined();
    expect(btfForMap({ key: { word: 'bytes:7' }, value: { word: 'u8' } })?.key).toBe(0);
  });

  test('a word that is none is refused', () => {
    expect(refusal(() => btfForMap({ key: { word: 'constructor' } }), 'usage')).toBe(
      "'constructor' is not a type",
    );
    expect(refusal(() => btfForMap({ key: { word: 'be8' } }), 'usage')).toBe("'be8' is not a type");
  });
});
