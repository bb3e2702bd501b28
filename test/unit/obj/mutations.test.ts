import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { NetkitError } from '../../../src/base/errors.js';
import { readPcap, writePcap } from '../../../src/obj/pcap.js';
import { ObjectSpec } from '../../../src/obj/spec.js';
import { objectBytes, objectNames } from './fixtures.js';
import { damaged, damages, headerDamage, withHeaderDamage } from './mutations.js';
import { pcapng } from './pcapng.js';

const time = 180_000;
/** Milliseconds of processor time, which a busy machine does not change: far more than any takes, far less than a hang. */
const slowest = 2_000;

/** Runs `read`, which may only succeed or throw `bad-object`. */
function survives(read: () => void): void {
  const start = process.cpuUsage();
  try {
    read();
  } catch (error) {
    if (!(error instanceof NetkitError)) throw error;
    expect(error.code).toBe('bad-object');
    expect(error.message).not.toMatch(/undefined|NaN|\[object|\n/);
  }
  const { user, system } = process.cpuUsage(start);
  expect((user + system) / 1000).toBeLessThan(slowest);
}

/** Everything that `inspect` asks of an object. */
function inspect(bytes: Uint8Array): void {
  const spec = ObjectSpec.parse(bytes, { path: 'x.bpf.o' });
  for (const { name } of spec.programs) {
    spec.sourceLine(name, 0);
    spec.sourceLine(name, 1_000_000);
    spec.listing(name);
  }
  for (const { type } of spec.globals) spec.btf?.nameOf(type);
  for (const map of spec.maps) {
    if (map.keyType !== undefined) spec.btf?.nameOf(map.keyType);
    if (map.valueType !== undefined) spec.btf?.nameOf(map.valueType);
  }
}

describe('a damaged object is read, or refused as bad-object, and nothing else', () => {
  for (const name of objectNames) {
    const original = objectBytes(name);

    test(`${name}: 7000 times bits, words, pieces and lengths`, { timeout: time }, () => {
      fc.assert(
        fc.property(damages, (steps) => survives(() => inspect(damaged(original, steps)))),
        { numRuns: 7000 },
      );
    });

    test(`${name}: 3000 times fields of its headers`, { timeout: time }, () => {
      fc.assert(
        fc.property(headerDamage, (steps) => survives(() => inspect(withHeaderDamage(original, steps)))),
        { numRuns: 3000 },
      );
    });
  }

  test('every truncation of an object is refused, and the error says so', { timeout: time }, () => {
    const original = objectBytes('maps');
    for (let length = 0; length < original.length; length++) {
      let thrown: unknown;
      try {
        ObjectSpec.parse(original.subarray(0, length));
      } catch (error) {
        thrown = error;
      }
      expect(thrown).toMatchObject({ code: 'bad-object' });
      expect(String(thrown)).toMatch(length === 0 ? /empty/ : /cut short/);
    }
  });

  test('the values of damaged globals are decoded or refused', { timeout: time }, () => {
    const original = objectBytes('globals');
    fc.assert(
      fc.property(damages, (steps) =>
        survives(() => {
          const spec = ObjectSpec.parse(damaged(original, steps));
          for (const { name, size } of spec.globals) if (size < 4096) spec.globals.get(name);
        }),
      ),
      { numRuns: 3000 },
    );
  });
});

describe('a damaged capture is read, or refused as bad-object, and nothing else', () => {
  const packets = [1, 60, 1500].map((length) => ({
    bytes: new Uint8Array(length).fill(length),
    timestampNs: 5n,
  }));

  test('pcap, 10000 times', { timeout: time }, () => {
    const original = writePcap(packets);
    fc.assert(
      fc.property(damages, (steps) => survives(() => void readPcap(damaged(original, steps)))),
      { numRuns: 10_000 },
    );
  });

  test('pcapng, 10000 times', { timeout: time }, () => {
    const original = pcapng({ packets: packets.map(({ bytes }) => bytes) });
    fc.assert(
      fc.property(damages, (steps) => survives(() => void readPcap(damaged(original, steps)))),
      { numRuns: 10_000 },
    );
  });

  test('bytes at random', { timeout: time }, () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => survives(() => void readPcap(bytes))),
      { numRuns: 3000 },
    );
  });
});
