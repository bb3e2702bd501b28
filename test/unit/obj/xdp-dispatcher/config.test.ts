import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hostIsLittleEndian } from '../../../../src/base/byte-order.js';
import {
  type DispatcherConfig,
  readConfig,
  type WritableVersion,
  writeConfig,
} from '../../../../src/obj/xdp-dispatcher/config.js';

/** What libxdp 1.3 wrote for four members, as words: the first has the bytes magic, version, members, frags. */
const written = new Uint32Array(31);
written.set([2147483654, 2147483656, 2147483652, 2147483652], 1);
written.set([3, 8, 50, 50], 11);
written.set([0, 0, 32, 0], 21);
const ofVersion2 = new Uint8Array(written.buffer);
ofVersion2.set([236, 2, 4, 0]);

describe('the configuration of a dispatcher', () => {
  it('of version 2 is read as libxdp writes it', () => {
    expect(readConfig(ofVersion2)).toEqual({
      version: 2,
      frags: false,
      deviceBound: false,
      slots: [
        { priority: 3, actions: 0x80000006, frags: false },
        { priority: 8, actions: 0x80000008, frags: false },
        { priority: 50, actions: 0x80000004, frags: true },
        { priority: 50, actions: 0x80000004, frags: false },
      ],
    });
  });

  it('of version 3 has a device-bound flag at its end, of version 1 no magic number and no frags', () => {
    const third = new Uint8Array(128);
    third.set(ofVersion2);
    third.set([236, 3, 1, 1]);
    third[124] = 1;
    expect(readConfig(third)).toEqual({
      version: 3,
      frags: true,
      deviceBound: true,
      slots: [{ priority: 3, actions: 0x80000006, frags: false }],
    });
    const first = new Uint8Array(84);
    first[0] = 2;
    const view = new DataView(first.buffer);
    view.setUint32(4, 0x80000004, hostIsLittleEndian);
    view.setUint32(44, 7, hostIsLittleEndian);
    expect(readConfig(first)).toEqual({
      version: 1,
      frags: false,
      deviceBound: false,
      slots: [
        { priority: 7, actions: 0x80000004, frags: false },
        { priority: 0, actions: 0, frags: false },
      ],
    });
  });

  it.each([
    ['of a later version', [236, 4], 140, { version: 4, slots: undefined }],
    ['of version 2 with another length', [236, 2], 128, { version: 2, slots: undefined }],
    ['without the magic number', [235, 2], 124, undefined],
    ['with more members than slots', [236, 2, 11], 124, undefined],
    ['of a program that has nothing to do with it', [], 4, undefined],
    ['that is empty', [], 0, undefined],
  ])('%s is not taken for one that is known', (_what, start, length, expected) => {
    const bytes = new Uint8Array(length);
    bytes.set(start);
    expect(readConfig(bytes)).toEqual(expected);
  });

  const slot = fc.record({
    priority: fc.nat(0xffffffff),
    actions: fc.nat(0xffffffff),
    frags: fc.boolean(),
  });

  it('is read as it was written, in both versions that are written', () => {
    const config = fc.record({
      version: fc.constantFrom<WritableVersion>(2, 3),
      frags: fc.boolean(),
      deviceBound: fc.constant(false),
      slots: fc.array(slot, { maxLength: 10 }),
    });
    fc.assert(
      fc.property(config, (each) => {
        const bytes = writeConfig(each);
        expect(bytes.length).toBe(each.version === 2 ? 124 : 128);
        expect(readConfig(bytes)).toEqual(each satisfies DispatcherConfig);
      }),
    );
  });

  it('has ten slots', () => {
    const slots = Array.from({ length: 11 }, () => ({ priority: 1, actions: 4, frags: false }));
    expect(() => writeConfig({ version: 2, frags: false, deviceBound: false, slots })).toThrow(RangeError);
  });
});
