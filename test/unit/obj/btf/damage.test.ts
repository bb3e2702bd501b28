import { describe, expect, it } from 'vitest';
import { readBtf } from '../../../../src/obj/btf/read.js';
import { BtfBuilder } from '../../../support/btf-builder.js';

function header(change: (view: DataView, bytes: Uint8Array) => void): Uint8Array {
  const btf = new BtfBuilder();
  btf.int('int', 4);
  const bytes = btf.bytes();
  change(new DataView(bytes.buffer), bytes);
  return bytes;
}

function built(build: (btf: BtfBuilder, int: number) => void): Uint8Array {
  const btf = new BtfBuilder();
  build(btf, btf.int('int', 4, { signed: true }));
  return btf.bytes();
}

function expectRefused(bytes: Uint8Array, message: RegExp): void {
  expect(() => readBtf(bytes)).toThrow(
    expect.objectContaining({
      name: 'NetkitError',
      code: 'bad-object',
      message: expect.stringMatching(message),
    }),
  );
}

describe('a damaged header', () => {
  it.each<[string, Uint8Array, RegExp]>([
    ['nothing at all', new Uint8Array(0), /0 bytes/],
    ['another magic number', header((view) => view.setUint16(0, 0x7f45)), /magic number/],
    ['another version', header((view) => view.setUint8(2, 2)), /version 2/],
    ['unknown flags', header((view) => view.setUint8(3, 1)), /flags 0x1/],
    ['a header that is too short', header((view) => view.setUint32(4, 20, true)), /header of 20 bytes/],
    ['a header beyond the end', header((view) => view.setUint32(4, 2 ** 31, true)), /header of/],
    ['types beyond the end', header((view) => view.setUint32(12, 400, true)), /400 bytes at offset/],
    ['types that begin at 4 GiB', header((view) => view.setUint32(8, 2 ** 32 - 4, true)), /at offset/],
    ['types at an odd offset', header((view) => view.setUint32(8, 2, true)), /aligned/],
    ['types of an odd length', header((view) => view.setUint32(12, 15, true)), /aligned/],
    ['no strings', header((view) => view.setUint32(20, 0, true)), /no string section/],
    ['a first string that is not empty', header((_, bytes) => bytes.fill(65, 40, 41)), /empty string/],
    ['a last string without end', header((_, bytes) => bytes.fill(65, -1)), /no end/],
  ])('is refused: %s', (_, bytes, message) => {
    expectRefused(bytes, message);
  });
});

describe('a damaged type', () => {
  it.each<[string, (btf: BtfBuilder, int: number) => void, RegExp]>([
    ['of an unknown kind', (btf) => btf.raw(20, '', 0), /kind 20/],
    ['of kind 0', (btf) => btf.raw(0, '', 0), /kind 0/],
    ['cut off', (btf) => btf.raw(1, 'x', 4), /beyond the type section/],
    [
      'with more members than there are bytes',
      (btf) => btf.raw(4, 's', 4, [], 65535),
      /beyond the type section/,
    ],
    ['with a target that does not exist', (btf) => btf.ptr(99), /type 99, which does not exist/],
    ['with a member type that does not exist', (btf) => btf.struct('s', 4, [{ type: 99 }]), /type 99/],
    ['with an index type that does not exist', (btf, int) => btf.array(int, 1, 99), /type 99/],
    ['that points to a variable', (btf, int) => btf.ptr(btf.var('v', int)), /of kind 14/],
    ['that is a function of no prototype', (btf, int) => btf.func('f', int), /of kind 1/],
    [
      'that is a section of no variables',
      (btf, int) => btf.datasec('d', 4, [{ type: int, offset: 0, size: 4 }]),
      /kind 1/,
    ],
    ['that tags an integer', (btf, int) => btf.declTag('t', int), /of kind 1/],
    ['that tags component -2', (btf) => btf.declTag('t', btf.struct('s', 0, []), -2), /component -2/],
    ['that has no name', (btf, int) => btf.typedef('', int), /must have a name/],
    ['with an enumerator that has no name', (btf) => btf.enum('e', { '': 1 }), /must have a name/],
    ['with an integer of 3 bytes', (btf) => btf.int('x', 3), /cannot have 3 bytes/],
    ['with an integer of no bits', (btf) => btf.int('x', 4, { bits: 0 }), /integer of 0 bits/],
    [
      'with more bits than bytes hold',
      (btf) => btf.int('x', 4, { bits: 30, bitOffset: 3 }),
      /30 bits at bit 3/,
    ],
    ['with an enum of 16 bytes', (btf) => btf.enum('e', { A: 1 }, { size: 16 }), /cannot have 16 bytes/],
    ['with an unknown linkage', (btf, int) => btf.raw(14, 'v', int, [3]), /linkage 3/],
    ['with a void parameter', (btf, int) => btf.prototype(int, [['x', 0]]), /of kind 0/],
    [
      'with a void parameter in the middle',
      (btf, int) =>
        btf.prototype(int, [
          ['', 0],
          ['x', int],
        ]),
      /of kind 0/,
    ],
    [
      'with a member behind its end',
      (btf, int) => btf.struct('s', 4, [{ type: int, offset: 1 }]),
      /does not fit/,
    ],
    ['with a member larger than itself', (btf, int) => btf.union('u', 2, [{ type: int }]), /does not fit/],
    [
      'with a member at an odd bit',
      (btf, int) => btf.struct('s', 9, [{ type: btf.ptr(int), bitOffset: 3 }]),
      /does not fit/,
    ],
    [
      'with a union member not at its start',
      (btf, int) => btf.union('u', 8, [{ type: int, offset: 4 }]),
      /does not fit/,
    ],
    [
      'with a bit field behind its end',
      (btf, int) => btf.struct('s', 4, [{ type: int, bitOffset: 30, bitSize: 3 }]),
      /fit/,
    ],
    [
      'with a bit field wider than its type',
      (btf, int) => btf.struct('s', 8, [{ type: int, bitSize: 33 }]),
      /does not fit/,
    ],
    [
      'with a bit field of pointers',
      (btf, int) => btf.struct('s', 8, [{ type: btf.ptr(int), bitSize: 3 }]),
      /does not fit/,
    ],
    ['with a member that has no size', (btf) => btf.struct('s', 8, [{ type: btf.fwd('f') }]), /does not fit/],
    ['with a void member', (btf) => btf.struct('s', 8, [{ name: 'x', type: 0 }]), /of kind 0|does not fit/],
    [
      'with a variable outside its section',
      (btf, int) => btf.datasec('d', 4, [{ type: btf.var('v', int), offset: 2, size: 4 }]),
      /section of 4 bytes/,
    ],
  ])('is refused: %s', (_, build, message) => {
    expectRefused(built(build), message);
  });

  it('is refused when its name lies beyond the strings', () => {
    const bytes = built(() => undefined);
    new DataView(bytes.buffer).setUint32(24, 5, true);
    expectRefused(bytes, /beyond the strings/);
  });

  it('may be an array that fills 32 bits, and not one more', () => {
    expect(readBtf(built((btf, int) => btf.array(int, 2 ** 30 - 1))).sizeOf(2)).toBe(2 ** 32 - 4);
    expectRefused(
      built((btf, int) => btf.array(int, 2 ** 30)),
      /array of/,
    );
    expectRefused(
      built((btf, int) => btf.array(btf.array(int, 2 ** 20), 2 ** 20)),
      /array of/,
    );
  });
});

describe('types that contain themselves', () => {
  it.each<[string, (btf: BtfBuilder) => void]>([
    ['a typedef of itself', (btf) => btf.typedef('t', btf.nextId)],
    ['qualifiers in a circle', (btf) => btf.const(btf.volatile(btf.nextId + 1))],
    ['an array of itself', (btf) => btf.array(btf.nextId, 0, 1)],
    ['a struct in itself', (btf) => btf.struct('s', 8, [{ type: btf.nextId }])],
    ['a type tag of itself', (btf) => btf.typeTag('t', btf.nextId)],
    [
      'a struct in an array in a union in it',
      (btf) => {
        const id = btf.nextId;
        btf.struct('s', 0, [{ type: id + 1 }]);
        btf.array(id + 2, 0, 1);
        btf.union('u', 0, [{ type: id }]);
      },
    ],
  ])('are refused: %s', (_, build) => {
    expectRefused(built(build), /contains itself/);
  });

  it('are what structs with pointers to themselves are not', () => {
    const graph = readBtf(
      built((btf) => {
        btf.struct('list_head', 16, [
          { name: 'next', type: btf.nextId + 1, offset: 0 },
          { name: 'prev', type: btf.nextId + 1, offset: 8 },
        ]);
        btf.ptr(btf.nextId - 1);
      }),
    );
    expect(graph.nameOf(3)).toBe('struct list_head *');
  });

  it('cannot hide in a chain that is too long to follow', () => {
    const chain = (length: number): Uint8Array =>
      built((btf, int) => {
        let id = int;
        for (let index = 0; index < length; index++) {
          id = btf.const(id);
        }
      });
    expect(readBtf(chain(255)).resolve(256).name).toBe('int');
    expectRefused(chain(256), /levels deep/);
    expectRefused(chain(100_000), /levels deep/);
  });
});
