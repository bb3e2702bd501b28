import { describe, expect, it } from 'vitest';
import { readBtf } from '../../../../src/obj/btf/read.js';
import { BtfBuilder } from '../../../support/btf-builder.js';

/** The spelling of the type that `build` gives the id of. */
function nameOf(build: (btf: BtfBuilder, int: number) => number): string {
  const btf = new BtfBuilder();
  const id = build(btf, btf.int('int', 4, { signed: true }));
  return readBtf(btf.bytes()).nameOf(id);
}

describe('nameOf', () => {
  it.each<[string, (btf: BtfBuilder, int: number) => number]>([
    ['void', () => 0],
    ['void *', (btf) => btf.ptr(0)],
    ['int **', (btf, int) => btf.ptr(btf.ptr(int))],
    ['const int *', (btf, int) => btf.ptr(btf.const(int))],
    ['int *const', (btf, int) => btf.const(btf.ptr(int))],
    ['const volatile int', (btf, int) => btf.const(btf.volatile(int))],
    ['const number', (btf, int) => btf.const(btf.typedef('number', btf.ptr(int)))],
    ['int[2][3]', (btf, int) => btf.array(btf.array(int, 3), 2)],
    ['int *[4]', (btf, int) => btf.array(btf.ptr(int), 4)],
    ['int (*)[4]', (btf, int) => btf.ptr(btf.array(int, 4))],
    ['int (*)(void)', (btf, int) => btf.ptr(btf.prototype(int, []))],
    ['int (int, ...)', (btf, int) => btf.prototype(int, [['x', int]], true)],
    ['int (*[2])(int *)', (btf, int) => btf.array(btf.ptr(btf.prototype(int, [['x', btf.ptr(int)]])), 2)],
    ['int (*(*)(int))[2]', (btf, int) => btf.ptr(btf.prototype(btf.ptr(btf.array(int, 2)), [['x', int]]))],
    ['struct node *', (btf) => btf.ptr(btf.fwd('node'))],
    ['union node', (btf) => btf.fwd('node', 'union')],
    ['struct { … }', (btf) => btf.struct('', 0, [])],
    ['enum { … } *', (btf) => btf.ptr(btf.enum('', { A: 1 }))],
    ['int *', (btf, int) => btf.ptr(btf.typeTag('user', int))],
    ['int add(int)', (btf, int) => btf.func('add', btf.prototype(int, [['x', int]]))],
    ['int *table[8]', (btf, int) => btf.var('table', btf.array(btf.ptr(int), 8))],
  ])('spells %s', (text, build) => {
    expect(nameOf(build)).toBe(text);
  });

  it('gives up on a pointer to itself', () => {
    expect(nameOf((btf) => btf.ptr(btf.nextId))).toMatch(/^… \*+$/);
  });

  it('gives up on prototypes that multiply', () => {
    const name = nameOf((btf, int) => {
      let id = int;
      for (let depth = 0; depth < 60; depth++) {
        id = btf.prototype(
          id,
          Array.from({ length: 20 }, () => ['x', id] as const),
        );
      }
      return id;
    });
    expect(name).toContain('…');
    expect(name.length).toBeLessThan(100_000);
  });
});
