import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NetkitError } from '../../../../src/base/errors.js';
import { cHeader } from '../../../../src/obj/btf/c-header.js';
import { readLineInfo } from '../../../../src/obj/btf/line-info.js';
import { readBtf } from '../../../../src/obj/btf/read.js';
import type { BtfGraph } from '../../../../src/obj/btf/types.js';
import { BtfBuilder } from '../../../support/btf-builder.js';
import { btfExt } from '../../../support/btf-ext.js';
import { damaged, damages } from '../mutations.js';
import { everyKind } from './every-kind.js';

/** Runs `read`; that it refuses its input is fine, that it fails in any other way is not. */
function refusesOr<Result>(read: () => Result): Result | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof NetkitError && error.code === 'bad-object') {
      return undefined;
    }
    throw error;
  }
}

const modifiers = new Set<string>(['typedef', 'const', 'volatile', 'restrict', 'type_tag']);

/** Uses each type in every way. Plain comparisons: so many `expect` would take most of the time. */
function visit(graph: BtfGraph): void {
  for (let id = 0; id < graph.count; id++) {
    const size = refusesOr(() => graph.sizeOf(id)) ?? 0;
    const isSound =
      graph.type(id).id === id &&
      graph.nameOf(id).length < 100_000 &&
      !modifiers.has(graph.resolve(id).kind) &&
      Number.isInteger(size) &&
      size >= 0 &&
      size < 2 ** 32;
    if (!isSound) {
      expect.fail(`type ${id} of ${graph.count}, ${graph.nameOf(id)}, is not sound`);
    }
  }
}

/** Types that refer to each other in all the ways in which damage makes a circle of them. */
function entangled(): BtfBuilder {
  const btf = new BtfBuilder();
  const int = btf.int('int', 4, { signed: true });
  const node = btf.nextId;
  btf.struct('node', 40, [
    { name: 'next', type: node + 1, offset: 0 },
    { name: 'call', type: node + 3, offset: 8 },
    { type: node + 4, offset: 16 },
    { name: 'grid', type: node + 6, offset: 24 },
  ]);
  btf.ptr(node);
  btf.prototype(node + 1, [
    ['self', node + 1],
    ['word', int],
  ]);
  btf.ptr(node + 2);
  btf.union('', 8, [{ name: 'word', type: int }, { name: 'self', type: node + 1 }, { type: node + 8 }]);
  btf.array(int, 2);
  btf.array(node + 5, 2, int);
  btf.typedef('call_t', node + 3);
  btf.struct('', 8, [
    { name: 'low', type: int, bitSize: 4 },
    { name: 'kind', type: node + 10, offset: 4 },
  ]);
  btf.const(btf.volatile(btf.typedef('int_t', int)));
  btf.enum('', { FIRST: 0, LAST: 9 });
  return btf;
}

/** Words of a type section that get other values, as fractions of its length. */
const words = fc.array(
  fc.record({ at: fc.noBias(fc.double({ min: 0, max: 1, noNaN: true })), value: fc.nat({ max: 32 }) }),
  { maxLength: 4 },
);
const splices = fc.record({
  head: fc.noBias(fc.nat({ max: 120 })),
  tail: fc.noBias(fc.nat({ max: 120 })),
  words,
});

const headerSize = 24;

/** The type section and the strings of a little-endian blob of the builder's. */
function sections(blob: Uint8Array): [types: Buffer, strings: Buffer] {
  const bytes = Buffer.from(blob);
  const typesEnd = headerSize + bytes.readUInt32LE(12);
  return [bytes.subarray(headerSize, typesEnd), bytes.subarray(typesEnd)];
}

function blobOf(types: Buffer, strings: Buffer): Buffer {
  const blob = Buffer.concat([Buffer.alloc(headerSize), types, strings]);
  [0x1eb9f, headerSize, 0, types.length, types.length, strings.length].forEach((word, index) => {
    blob.writeUInt32LE(word, index * 4);
  });
  return blob;
}

function overwrite(types: Buffer, changes: readonly { at: number; value: number }[]): Buffer {
  const changed = Buffer.from(types);
  for (const { at, value } of changes) {
    const word = Math.floor(at * (changed.length / 4 - 1));
    if (word >= 0) {
      changed.writeUInt32LE(value, word * 4);
    }
  }
  return changed;
}

const runs = { numRuns: 12_000, endOnFailure: true };

describe('readBtf, given damaged bytes, refuses them or gives a graph that can be walked', () => {
  const base = everyKind();
  const split = new BtfBuilder({ base });
  split.struct('added', 32, [
    { name: 'record', type: 16 },
    { name: 'own', type: split.nextId + 1, offset: 24 },
  ]);
  split.ptr(split.nextId - 1);
  split.typedef('added_t', split.nextId - 2);
  const kernel = readBtf(base.bytes());

  it.each<[string, Uint8Array, BtfGraph | undefined]>([
    ['of every kind', everyKind().bytes(), undefined],
    ['in big endian', everyKind({ littleEndian: false }).bytes(), undefined],
    ['with a longer header', everyKind({ extraHeader: 8 }).bytes(), undefined],
    ['that refer to each other', entangled().bytes(), undefined],
    ['split from their base', split.bytes(), kernel],
  ])('types %s', (_, original, over) => {
    fc.assert(
      fc.property(damages, (steps) => {
        const graph = refusesOr(() => readBtf(damaged(original, steps), over));
        if (graph !== undefined) {
          visit(graph);
        }
      }),
      runs,
    );
  });

  it('types of two blobs in one', () => {
    const [types, strings] = sections(everyKind().bytes());
    const [otherTypes, otherStrings] = sections(entangled().bytes());
    const allStrings = Buffer.concat([strings, otherStrings]);
    let read = 0;
    fc.assert(
      fc.property(splices, (splice) => {
        const mixed = Buffer.concat([
          types.subarray(0, splice.head * 4),
          otherTypes.subarray(splice.tail * 4),
        ]);
        const graph = refusesOr(() => readBtf(blobOf(overwrite(mixed, splice.words), allStrings)));
        if (graph !== undefined) {
          read += 1;
          visit(graph);
        }
      }),
      runs,
    );
    expect(read).toBeGreaterThan(20);
  });

  it('types whose references alone are damaged, many of which can still be read', () => {
    const [types, strings] = sections(entangled().bytes());
    let read = 0;
    let written = 0;
    fc.assert(
      fc.property(words, (changes) => {
        const graph = refusesOr(() => readBtf(blobOf(overwrite(types, changes), strings)));
        if (graph !== undefined) {
          read += 1;
          visit(graph);
          written += refusesOr(() => cHeader(graph)) === undefined ? 0 : 1;
        }
      }),
      { ...runs, numRuns: 20_000 },
    );
    expect(read).toBeGreaterThan(1000);
    expect(written).toBeGreaterThan(500);
  });
});

describe('cHeader, given damaged types, refuses them or gives a header', () => {
  it.each<[string, Uint8Array]>([
    ['of every kind', everyKind().bytes()],
    ['that refer to each other', entangled().bytes()],
  ])('types %s', (_, original) => {
    fc.assert(
      fc.property(damages, (steps) => {
        const header = refusesOr(() => cHeader(readBtf(damaged(original, steps))));
        expect(header ?? '#endif /* __VMLINUX_H__ */\n').toMatch(/#endif \/\* __VMLINUX_H__ \*\/\n$/);
      }),
      runs,
    );
  });
});

describe('readLineInfo, given damaged bytes, refuses them or gives lines', () => {
  const btf = new BtfBuilder();
  const names = ['xdp', '/src/a.c', 'return XDP_PASS;'].map((text) => btf.string(text));
  const [section = 0, file = 0, source = 0] = names;
  const strings = btf.bytes();
  const ext = btfExt({
    functions: [{ section, records: [[0, 1]] }],
    lines: [
      {
        section,
        records: [
          [0, file, source, 1024],
          [8, file, source, 2048],
        ],
      },
      { section: file, records: [[16, file, source, 4096]] },
    ],
  });

  it.each(['.BTF.ext', '.BTF'])('of %s', (which) => {
    fc.assert(
      fc.property(damages, (steps) => {
        const bytes = damaged(which === '.BTF' ? strings : ext, steps);
        const parts: [Uint8Array, Uint8Array] = which === '.BTF' ? [ext, bytes] : [bytes, strings];
        const lines = refusesOr(() => readLineInfo(...parts));
        for (const line of [...(lines?.values() ?? [])].flat()) {
          expect(Number.isInteger(line.instruction)).toBe(true);
        }
      }),
      runs,
    );
  });
});
