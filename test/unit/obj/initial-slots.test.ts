import { join } from 'node:path';
import { expect, it } from 'vitest';
import { packageRoot } from '../../../src/host/package-root.js';
import { ObjectSpec } from '../../../src/obj/spec.js';

const fixture = (name: string): string => join(packageRoot(), `test/fixtures/objects/${name}.bpf.o`);

it('an object without initial slots has the same maps and programs, and nothing in its maps', () => {
  const spec = ObjectSpec.readSync(fixture('maps'));
  const filled = spec.maps.filter(({ initial }) => initial.length > 0);
  expect(filled).not.toEqual([]);
  const bytes = spec.withoutSlots(spec.bytes);
  expect(bytes).toHaveLength(spec.bytes.length);
  const without = ObjectSpec.parse(bytes);
  expect(without.maps).toEqual(spec.maps.map((map) => ({ ...map, initial: [] })));
  expect(without.programs).toEqual(spec.programs);
  expect(spec.maps.filter(({ initial }) => initial.length > 0)).toEqual(filled);
});

it('an object whose maps are empty is left as it is', () => {
  const spec = ObjectSpec.readSync(fixture('pass'));
  expect(spec.withoutSlots(spec.bytes)).toBe(spec.bytes);
});
