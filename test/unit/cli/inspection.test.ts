import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NetkitError } from '../../../src/base/errors.js';
import { toJson } from '../../../src/base/json.js';
import { inspection } from '../../../src/cli/inspection.js';
import { ObjectSpec } from '../../../src/obj/spec.js';
import { objectBytes, objectSpec } from '../obj/fixtures.js';
import { damaged, damages } from '../obj/mutations.js';

describe('the inspection of an object', () => {
  it('calls a map of globals no map: its variables are listed by name', () => {
    const { maps, globals } = inspection(objectSpec('globals'), 'globals.bpf.o');
    expect(maps).toEqual([]);
    expect(globals.map(({ section }) => section)).toEqual(
      expect.arrayContaining(['.rodata', '.data', '.bss']),
    );
  });

  it('says when an object asks for a map to be pinned', () => {
    expect(inspection(objectSpec('pinned'), 'pinned.bpf.o').maps).toMatchObject([
      { name: 'shared', pinned: true },
    ]);
  });

  it('names no type where the section name tells none', () => {
    expect(inspection(objectSpec('legacy'), 'legacy.bpf.o').programs).toMatchObject([
      { name: 'legacy', type: null, attachType: null, problem: expect.stringContaining('xdp_legacy') },
    ]);
  });

  it.each(['globals', 'maps', 'many'] as const)(
    'survives damage to %s, or refuses it as bad-object',
    (name) => {
      const original = objectBytes(name);
      let read = 0;
      fc.assert(
        fc.property(damages, (steps) => {
          try {
            const document = inspection(ObjectSpec.parse(damaged(original, steps)), 'x.bpf.o');
            expect(toJson(document).length).toBeLessThan(10_000_000);
            read += 1;
          } catch (error) {
            if (!(error instanceof NetkitError) || error.code !== 'bad-object') throw error;
          }
        }),
        { numRuns: 2000 },
      );
      expect(read).toBeGreaterThan(50);
    },
  );
});
