import { describe, expect, it } from 'vitest';
import { readBtf } from '../../../src/obj/btf/read.js';
import { eventTypes } from '../../../src/obj/event-type.js';
import { BtfBuilder } from '../../support/btf-builder.js';

/** The names of what the records of `map` may be, in an object with these structs and pointers to structs. */
function typesFor(
  map: string,
  structs: readonly string[],
  pointers: Readonly<Record<string, string>> = {},
): string[] {
  const builder = new BtfBuilder();
  const u32 = builder.int('__u32', 4);
  const ids = new Map(
    structs.map((name) => [name, builder.struct(name, 4, [{ name: 'number', type: u32, offset: 0 }])]),
  );
  for (const [variable, target] of Object.entries(pointers)) {
    const id = ids.get(target) ?? (target === 'void' ? 0 : u32);
    builder.var(variable, builder.const(builder.ptr(builder.const(id))));
  }
  return eventTypes(readBtf(builder.bytes()), map).map(({ name }) => name);
}

describe('the type of records', () => {
  it('is what a variable named after the map points to, whatever else there is', () => {
    expect(typesFor('drops', ['drop', 'tuple', 'event'], { drops_record: 'tuple', unused: 'event' })).toEqual(
      ['tuple'],
    );
  });

  it.each([
    ['drops', 'drop'],
    ['drops', 'drops'],
    ['drops', 'drop_event'],
    ['drops', 'drops_event'],
    ['drop', 'drop_event'],
    ['events', 'event'],
  ])('of the map %s may be struct %s, by the name', (map, struct) => {
    expect(typesFor(map, ['other', struct, 'far_event'], { unused: 'far_event' })).toEqual([struct]);
  });

  it('is a struct named like an event that a variable points to', () => {
    expect(typesFor('rb', ['tuple', 'open_event'], { a: 'tuple', unused: 'open_event' })).toEqual([
      'open_event',
    ]);
    expect(typesFor('rb', ['event'], { first: 'event', second: 'event' })).toEqual(['event']);
  });

  it('is not clear where more than one may be meant', () => {
    expect(typesFor('drops', ['drop', 'drop_event'])).toEqual(['drop', 'drop_event']);
    expect(typesFor('rb', ['open_event', 'close_event'], { a: 'open_event', b: 'close_event' })).toEqual([
      'open_event',
      'close_event',
    ]);
  });

  it('is not known otherwise: structs that nothing points to, pointers to numbers and to nothing, like names', () => {
    expect(
      typesFor('rb', ['event', 'prevent'], { a: 'void', b: '__u32', c: 'prevent', rb_record: '__u32' }),
    ).toEqual([]);
    expect(typesFor('s', ['s_not'])).toEqual([]);
  });
});
