import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { NetkitError } from '../../../../src/base/errors.js';
import type { EntryBatch, EntryFormat, EntryShape } from '../../../../src/obj/entries/index.js';
import { type Shape, shape } from '../codec/shapes.js';
import { codecOfType } from '../codec/support.js';
import { damaged, damages } from '../mutations.js';
import { fileOf, type Outcome, outcomeOf, shapeOf, slowShape } from './support.js';

const time = 120_000;
const formats: readonly EntryFormat[] = ['json', 'ndjson', 'csv', 'snapshot'];

/** Random types for key and value, and entries of random bytes. */
const content = fc
  .record({
    key: fc.option(shape.filter(fits), { nil: undefined, freq: 8 }),
    value: shape.filter(fits),
    cpus: fc.constantFrom(1, 1, 1, 2, 3),
    count: fc.integer({ min: 0, max: 12 }),
    bytes: fc.uint8Array({ minLength: 64, maxLength: 64 }),
    // Few different bytes give texts, small numbers and known enumerators.
    plain: fc.boolean(),
  })
  .map(({ key, value, cpus, count, bytes, plain }) => {
    const made = shapeOf(key?.build, value.build, key === undefined ? 1 : cpus);
    return { shape: made, batch: randomBatch(made, count, bytes, plain) };
  });

/** Maps have no empty keys or values, and types that end in a flexible array have no codec. */
function fits({ size, build }: Shape): boolean {
  if (size === 0 || size > 512) return false;
  try {
    codecOfType(build);
    return true;
  } catch (error) {
    if (error instanceof NetkitError && /flexible array/.test(error.message)) return false;
    throw error;
  }
}

function randomBatch(made: EntryShape, count: number, seed: Uint8Array, plain: boolean): EntryBatch {
  const fill = (bytes: Uint8Array): Uint8Array =>
    bytes.map((_, at) => {
      const byte = ((seed[at % seed.length] ?? 0) * (1 + (at >> 4))) & 0xff;
      return plain ? (byte & 1 ? 0 : byte & 0x7f) : byte;
    });
  const keys = fill(new Uint8Array(count * made.keySize));
  const values = fill(new Uint8Array(count * made.valueStride));
  // The kernel gives zeros between the values of two CPUs.
  for (let at = 0; at < values.length; at++) if (at % made.cpuStride >= made.value.size) values[at] = 0;
  return { count, keys, values };
}

/** The entries of an outcome as a batch again. */
function batchAgain({ entries }: Outcome): EntryBatch {
  return {
    count: entries.length,
    keys: Buffer.from(entries.map(({ key }) => key).join(''), 'hex'),
    values: Buffer.from(entries.map(({ value }) => value).join(''), 'hex'),
  };
}

/** Damage to text: characters that mean something put in, put in place of others, and left out. */
const textDamages = fc.array(
  fc.record({
    at: fc.noBias(fc.nat({ max: 1_000_000 })),
    removed: fc.nat({ max: 3 }),
    text: fc.constantFrom(
      ...[
        '',
        '',
        '"',
        '{',
        '}',
        '[',
        ']',
        ',',
        ':',
        '\n',
        '\r',
        '\r\n',
        ' ',
        '\t',
        '\\',
        '0',
        '9',
        '-',
        '.',
        'e',
      ],
      ...[
        'true',
        'null',
        'x',
        '""',
        'hex:',
        '\u00e9',
        '\ufeff',
        '\0',
        '"key":',
        '"value":',
        '{"key":1,"value":1}',
        '18446744073709551616',
      ],
    ),
  }),
  { minLength: 1, maxLength: 4 },
);

function withTextDamage(file: Buffer, steps: readonly TextDamage[]): Buffer {
  return steps.reduce((bytes, { at, removed, text }) => {
    const place = Math.floor((at / 1_000_001) * (bytes.length + 1));
    return Buffer.concat([bytes.subarray(0, place), Buffer.from(text), bytes.subarray(place + removed)]);
  }, file);
}

interface TextDamage {
  readonly at: number;
  readonly removed: number;
  readonly text: string;
}

const cuts = fc.array(fc.noBias(fc.nat({ max: 1_000_000 })), { maxLength: 12 });
const placesIn = (bytes: Uint8Array, fractions: readonly number[]): number[] =>
  fractions.map((millionths) => Math.floor((millionths / 1_000_000) * bytes.length));
const everywhere = (bytes: Uint8Array): number[] => Array.from(bytes, (_, at) => at);

describe('entries of random types', () => {
  for (const format of formats) {
    test(`${format}: what is written is read back`, { timeout: time }, () => {
      fc.assert(
        fc.property(content, ({ shape: made, batch }) => {
          const file = fileOf(format, made, [batch]);
          const outcome = outcomeOf(format, made, file);
          expect(outcome.error).toBeUndefined();
          expect(outcome.entries).toHaveLength(batch.count);
          expect(fileOf(format, made, [batchAgain(outcome)]).equals(file)).toBe(true);
        }),
        { numRuns: 300 },
      );
    });

    test(`${format}: chunks cut anywhere give the same entries and the same lines`, { timeout: time }, () => {
      fc.assert(
        fc.property(
          content,
          cuts,
          fc.constantFrom(1, 2, 4096),
          ({ shape: made, batch }, places, batchSize) => {
            const file = fileOf(format, made, [batch]);
            const whole = outcomeOf(format, made, file, [], { batchSize });
            expect(outcomeOf(format, made, file, placesIn(file, places), { batchSize })).toEqual(whole);
            expect(outcomeOf(format, made, file, everywhere(file), { batchSize })).toEqual(whole);
          },
        ),
        { numRuns: 120 },
      );
    });

    test(`${format}: a damaged file gives the same entries and the same error however it is cut`, {
      timeout: time,
    }, () => {
      fc.assert(
        fc.property(
          content,
          damages,
          textDamages,
          cuts,
          ({ shape: made, batch }, steps, textSteps, places) => {
            const original = fileOf(format, made, [batch]);
            const file =
              format === 'snapshot'
                ? Buffer.from(damaged(original, steps))
                : withTextDamage(original, textSteps);
            const whole = outcomeOf(format, made, file);
            expect(outcomeOf(format, made, file, placesIn(file, places))).toEqual(whole);
            expect(outcomeOf(format, made, file, everywhere(file))).toEqual(whole);
            if (whole.error === undefined) return;
            expect(whole.error.message).toMatch(/^f: ./);
            expect(whole.error.message).not.toMatch(/undefined|NaN|\[object|\n/);
            if (format === 'snapshot') return;
            expect(whole.error.message).toMatch(/^f: line \d+, column \d+: /);
            expect(whole.error.details).toMatchObject({
              line: expect.any(Number) as number,
              column: expect.any(Number) as number,
            });
          },
        ),
        { numRuns: 300 },
      );
    });
  }

  for (const format of ['json', 'ndjson', 'csv'] as const) {
    test(`${format}: the fast way and the slow way agree on every file, damaged or not`, {
      timeout: time,
    }, () => {
      fc.assert(
        fc.property(content, fc.option(damages), textDamages, ({ shape: made, batch }, steps, textSteps) => {
          const file = fileOf(format, made, [batch]);
          const bytes = steps === null ? withTextDamage(file, textSteps) : Buffer.from(damaged(file, steps));
          expect(outcomeOf(format, made, bytes)).toEqual(outcomeOf(format, slowShape(made), bytes));
        }),
        { numRuns: 400 },
      );
    });
  }
});
