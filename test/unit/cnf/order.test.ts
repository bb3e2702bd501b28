import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { choosePosition, defaultPriority, inOrder, standsThere } from '../../../src/cnf/order.js';
import type { OrderEntry } from '../../../src/ebpf/order.js';

interface Item {
  readonly name: string;
  /** Undefined for a foreign program. */
  readonly priority: number | undefined;
}

/** A chain as the kernel tells it, of `name:priority` for netkit's and `name` for foreign ones. */
function chainOf(words: string): { items: Item[]; chain: OrderEntry[]; own: Ranked[] } {
  const items = words.split(' ').flatMap((word) => {
    const [name = '', priority] = word.split(':');
    return name === '' ? [] : [{ name, priority: priority === undefined ? undefined : Number(priority) }];
  });
  return { items, ...told(items) };
}

type Ranked = ReturnType<typeof ranked>;
const ranked = ({ name }: Item, at: number, priority: number) => ({
  name,
  linkId: 100 + at,
  programId: 200 + at,
  priority,
});

function told(items: readonly Item[]): { chain: OrderEntry[]; own: Ranked[] } {
  return {
    chain: items.map(({ priority }, at) => ({
      programId: 200 + at,
      linkId: priority === undefined && at % 2 === 0 ? undefined : 100 + at,
    })),
    own: items.flatMap((item, at) => (item.priority === undefined ? [] : [ranked(item, at, item.priority)])),
  };
}

describe('a new link', () => {
  it.each([
    // chain, priority, goes before
    ['', 50, undefined],
    ['a:50', 50, undefined],
    ['a:50', 40, 'a'],
    ['a:50', 60, undefined],
    ['a:10 b:50 c:50 d:90', 50, 'd'],
    ['a:10 b:50 c:50 d:90', 9, 'a'],
    ['a:10 b:50 c:50 d:90', 10, 'b'],
    ['f a:50 g b:90 h', 50, 'b'],
    ['f a:50 g b:90 h', 1, 'a'],
    ['f a:50 g b:90 h', 90, undefined],
    // Put there by --first and the like: the first higher one counts, whatever comes behind it.
    ['a:90 b:10 c:50', 50, 'a'],
    ['f g h', 1, undefined],
  ])('among «%s» with priority %i goes before %s', (words, priority, before) => {
    const { chain, own } = chainOf(words);
    expect(choosePosition(chain, own, priority)?.name).toBe(before);
  });

  it('does not heed links that are not on the hook any more', () => {
    const { chain, own } = chainOf('a:50 b:70');
    expect(choosePosition(chain.slice(1), own, 40)?.name).toBe('b');
  });

  it('knows its own by their programs where the kernel tells no links, each once', () => {
    const { chain, own } = chainOf('f a:50 g b:70');
    const withoutLinks = chain.map(({ programId }) => ({ programId, linkId: undefined }));
    expect(inOrder(withoutLinks, own).map((link) => link?.name)).toEqual([undefined, 'a', undefined, 'b']);
    const [, one] = withoutLinks;
    if (one === undefined) throw new Error('no second entry');
    expect(inOrder([one, one], own).map((link) => link?.name)).toEqual(['a', undefined]);
  });
});

/** Netkit's links put in one after the other, as the kernel does it. */
const arrivals = fc.array(
  fc.record({ priority: fc.option(fc.integer({ min: 1, max: 6 }), { nil: undefined }), at: fc.nat(1000) }),
  { maxLength: 40 },
);

describe('links by priority alone, foreign programs wherever they like', () => {
  it('are in the order of their priorities, those with the same in the order of their coming', () => {
    fc.assert(
      fc.property(arrivals, (coming) => {
        const items: Item[] = [];
        for (const [index, { priority, at }] of coming.entries()) {
          const item = { name: String(index), priority };
          if (priority === undefined) {
            items.splice(at % (items.length + 1), 0, item);
            continue;
          }
          const foreign = items.filter((each) => each.priority === undefined);
          const { chain, own } = told(items);
          const before = choosePosition(chain, own, priority);
          const place =
            before === undefined ? items.length : items.findIndex(({ name }) => name === before.name);
          items.splice(place, 0, item);
          expect(items.filter((each) => each.priority === undefined)).toEqual(foreign);
        }
        const own = items.filter((item) => item.priority !== undefined);
        const wanted = own.toSorted(
          (a, b) => (a.priority ?? 0) - (b.priority ?? 0) || Number(a.name) - Number(b.name),
        );
        expect(own).toEqual(wanted);
      }),
    );
  });

  it('have 50 when nobody said another, as with libxdp', () => {
    expect(defaultPriority).toBe(50);
  });
});

describe('a program stands where it is wanted', () => {
  it.each([
    ['first', 0, undefined, true],
    ['first', 1, undefined, false],
    ['last', 3, undefined, true],
    ['last', 2, undefined, false],
    [{ before: 'x' }, 0, 1, true],
    [{ before: 'x' }, 0, 3, true],
    [{ before: 'x' }, 2, 1, false],
    [{ after: 'x' }, 3, 1, true],
    [{ after: 'x' }, 0, 1, false],
    [{ after: 'x' }, 0, undefined, false],
  ] as const)('%j, at %i of four, with the anchor at %s: %s', (place, at, anchor, answer) => {
    expect(standsThere(place, at, anchor, 4)).toBe(answer);
  });
});
