import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { objectValues } from '../../../../src/obj/value-types/object.js';
import { sourceOf } from '../../../support/types-source.js';
import { whyNot } from '../../../support/value-conformity.js';
import { shape } from '../codec/shapes.js';
import { objectNames, objectSpec } from '../fixtures.js';

describe('the values of a type', () => {
  it('are what its codec gives for any bytes', () => {
    fc.assert(
      fc.property(shape, fc.infiniteStream(fc.integer({ min: 0, max: 255 })), ({ build, size }, stream) => {
        fc.pre(size > 0);
        const { source, valueCodecs } = sourceOf({ m: { value: build } });
        const type = objectValues(source).maps.get('m')?.value;
        const codec = valueCodecs.get('m');
        if (type === undefined || codec === undefined) throw new Error('the map has no values');
        const bytes = Uint8Array.from(stream.take(codec.size));
        expect(whyNot(type, codec.decode(new DataView(bytes.buffer), 0))).toBeUndefined();
      }),
      { numRuns: 2000 },
    );
  });

  it.each(objectNames.filter((name) => name !== 'bigendian'))(
    'of the globals of %s are what they hold',
    (name) => {
      const spec = objectSpec(name);
      const { globals } = objectValues(spec);
      expect([...globals.keys()]).toEqual(spec.globals.list().map((global) => global.name));
      for (const [global, { value }] of globals) {
        expect(whyNot(value, spec.globals.get(global), global)).toBeUndefined();
      }
    },
  );

  it('of a per-CPU map are those of one CPU, of a queue there are no keys', () => {
    const { maps } = objectValues(objectSpec('maps'));
    expect(maps.get('percpu_flows')?.value).toMatchObject({ kind: 'integer', bits: 64 });
    expect(maps.get('queue')).toMatchObject({ key: undefined, value: { kind: 'integer' } });
    expect(maps.get('tenants')).toMatchObject({
      value: { kind: 'reference', to: 'map' },
      inner: { type: 'hash' },
    });
  });
});
