import fc from 'fast-check';

/** One step of damage. Places are fractions of the length, so that a step fits every file. */
type Damage =
  | { readonly kind: 'flip'; readonly at: number; readonly bit: number }
  | { readonly kind: 'word'; readonly at: number; readonly width: 1 | 2 | 4 | 8; readonly value: bigint }
  | { readonly kind: 'truncate'; readonly at: number }
  | { readonly kind: 'copy'; readonly from: number; readonly to: number; readonly length: number }
  | { readonly kind: 'remove'; readonly at: number; readonly length: number };

// Without fast-check's bias towards small numbers, which would leave little but damaged magic numbers.
const place = fc.noBias(fc.nat({ max: 999_999 })).map((millionths) => millionths / 1_000_000);
/** The numbers that parsers stumble over. */
const value = fc.oneof(
  fc.constantFrom(0n, 1n, 7n, 8n, 0x7fn, 0xffn, 0x7fffn, 0xffffn, 0x7fff_ffffn, 0xffff_fff8n, 0xffff_ffffn),
  fc.constantFrom(0x8000_0000n, 0x1_0000_0000n, 1n << 53n, 1n << 63n, (1n << 64n) - 1n, (1n << 64n) - 8n),
  fc.bigInt({ min: 0n, max: 4096n }),
  fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
);
const width = fc.constantFrom<(1 | 2 | 4 | 8)[]>(1, 2, 4, 8);

const damage: fc.Arbitrary<Damage> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('flip' as const), at: place, bit: fc.nat({ max: 7 }) }),
  },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('word' as const), at: place, width, value }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('truncate' as const), at: place }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('copy' as const),
      from: place,
      to: place,
      length: fc.nat({ max: 200 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('remove' as const), at: place, length: fc.nat({ max: 64 }) }),
  },
);

/** One to six steps of damage. */
export const damages: fc.Arbitrary<Damage[]> = fc.array(damage, { minLength: 1, maxLength: 6 });

/** `original` with the damage done; `original` itself stays as it is. */
export function damaged(original: Uint8Array, steps: readonly Damage[]): Uint8Array {
  return steps.reduce(apply, original.slice());
}

/** Damage to the fields of an ELF file's headers, which random places seldom hit. */
export const headerDamage = fc.array(
  fc.record({ section: fc.integer({ min: -1, max: 20 }), field: fc.nat({ max: 9 }), value }),
  { minLength: 1, maxLength: 4 },
);

// Offset and width of the fields of the file's header and of each section's.
const fileFields = [
  [4, 1],
  [5, 1],
  [16, 2],
  [18, 2],
  [40, 8],
  [52, 2],
  [58, 2],
  [60, 2],
  [62, 2],
  [32, 8],
] as const;
const sectionFields = [
  [0, 4],
  [4, 4],
  [8, 8],
  [16, 8],
  [24, 8],
  [32, 8],
  [40, 4],
  [44, 4],
  [48, 8],
  [56, 8],
] as const;

export function withHeaderDamage(
  original: Uint8Array,
  steps: readonly { readonly section: number; readonly field: number; readonly value: bigint }[],
): Uint8Array {
  const bytes = original.slice();
  const view = new DataView(bytes.buffer);
  const table = Number(view.getBigUint64(40, true));
  for (const { section, field, value: number } of steps) {
    const [offset = 0, size = 1] = (section < 0 ? fileFields : sectionFields)[field] ?? [];
    write(bytes, section < 0 ? offset : table + section * 64 + offset, size, number);
  }
  return bytes;
}

function apply(bytes: Uint8Array, step: Damage): Uint8Array {
  const at = (fraction: number) => Math.floor(fraction * bytes.length);
  switch (step.kind) {
    case 'flip': {
      const index = at(step.at);
      if (index < bytes.length) bytes[index] = (bytes[index] ?? 0) ^ (1 << step.bit);
      return bytes;
    }
    case 'word':
      // Fields are aligned.
      write(bytes, at(step.at) - (at(step.at) % step.width), step.width, step.value);
      return bytes;
    case 'truncate':
      return bytes.slice(0, at(step.at));
    case 'copy': {
      const piece = bytes.slice(at(step.from), at(step.from) + step.length);
      bytes.set(piece.subarray(0, bytes.length - at(step.to)), at(step.to));
      return bytes;
    }
    case 'remove': {
      const kept = new Uint8Array(Math.max(0, bytes.length - step.length));
      const start = Math.min(at(step.at), kept.length);
      kept.set(bytes.subarray(0, start));
      kept.set(bytes.subarray(start + step.length), start);
      return kept;
    }
  }
}

function write(bytes: Uint8Array, offset: number, size: number, number: bigint): void {
  const view = new DataView(bytes.buffer);
  if (offset < 0 || offset + size > bytes.length) return;
  if (size === 8) view.setBigUint64(offset, BigInt.asUintN(64, number), true);
  else if (size === 4) view.setUint32(offset, Number(BigInt.asUintN(32, number)), true);
  else if (size === 2) view.setUint16(offset, Number(BigInt.asUintN(16, number)), true);
  else view.setUint8(offset, Number(BigInt.asUintN(8, number)));
}
