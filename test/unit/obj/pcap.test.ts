import { describe, expect, test } from 'vitest';
import { readPcap, writePcap } from '../../../src/obj/pcap.js';
import { join, pcapng } from './pcapng.js';

const first = Uint8Array.of(1, 2, 3);
const second = new Uint8Array(60).fill(7);

/** A pcap file written by hand, from numbers. */
function pcap(magic: number, littleEndian: boolean, fraction: number): Uint8Array {
  const bytes = new Uint8Array(24 + 16 + first.length);
  const view = new DataView(bytes.buffer);
  const words = [magic, 0, 0, 0, 65535, 101, 1000, fraction, first.length, 1500];
  for (const [index, word] of words.entries()) view.setUint32(index * 4, word, littleEndian);
  bytes.set(first, 40);
  return bytes;
}

describe('readPcap', () => {
  for (const littleEndian of [true, false]) {
    const order = littleEndian ? 'little-endian' : 'big-endian';

    test(`reads ${order} pcap with microseconds`, () => {
      expect(readPcap(pcap(0xa1b2c3d4, littleEndian, 5))).toEqual({
        linkType: 101,
        packets: [{ bytes: first, originalLength: 1500, timestampNs: 1_000_000_005_000n }],
      });
    });

    test(`reads ${order} pcap with nanoseconds`, () => {
      expect(readPcap(pcap(0xa1b23c4d, littleEndian, 5)).packets[0]?.timestampNs).toBe(1_000_000_000_005n);
    });

    test(`reads ${order} pcapng`, () => {
      const file = pcapng({ packets: [first, second], littleEndian, linkType: 101, time: 5n });
      expect(readPcap(file)).toEqual({
        linkType: 101,
        packets: [
          { bytes: first, originalLength: 3, timestampNs: 5000n },
          { bytes: second, originalLength: 60, timestampNs: 5000n },
        ],
      });
    });
  }

  test.each([
    [9, 5n, 5n],
    [3, 5n, 5_000_000n],
    [0x80 + 10, 1024n, 1_000_000_000n],
  ])('reads pcapng times in the resolution %d', (resolution, time, expected) => {
    expect(readPcap(pcapng({ packets: [first], resolution, time })).packets[0]?.timestampNs).toBe(expected);
  });

  test('reads simple packets, which are cut to the length of the capture and have no time', () => {
    expect(readPcap(pcapng({ packets: [second], simple: true, snapLength: 10 })).packets).toEqual([
      { bytes: second.subarray(0, 10), originalLength: 60, timestampNs: 0n },
    ]);
    expect(readPcap(pcapng({ packets: [second], simple: true })).packets[0]?.bytes).toEqual(second);
  });

  test('reads pcapng files one behind the other, as mergers of captures write them', () => {
    const file = join([pcapng({ packets: [first] }), pcapng({ packets: [second], littleEndian: false })]);
    expect(readPcap(file).packets.map(({ bytes }) => bytes)).toEqual([first, second]);
  });

  test('reads a capture without packets', () => {
    expect(readPcap(writePcap([]))).toEqual({ linkType: 1, packets: [] });
    expect(readPcap(pcapng({ packets: [] })).packets).toEqual([]);
  });

  test.each([
    ['an empty file', new Uint8Array(), 0, /the file is empty/],
    ['text', new TextEncoder().encode('hello, world'), 0, /not a pcap or pcapng file/],
    ['half a header', writePcap([]).subarray(0, 12), 0, /cut short/],
    [
      'half a packet header',
      writePcap([{ bytes: first }]).subarray(0, 30),
      24,
      /cut short in the header of packet 0/,
    ],
    [
      'half a packet',
      writePcap([{ bytes: first }]).subarray(0, 41),
      24,
      /cut short: packet 0 takes 3 bytes of 1/,
    ],
    ['half a block', pcapng({ packets: [first] }).subarray(0, 60), 48, /cut short/],
    [
      'two kinds of link',
      join([pcapng({ packets: [first] }), pcapng({ packets: [first], linkType: 101 })]),
      undefined,
      /mixes the link types 1 and 101/,
    ],
  ])('refuses %s, with the offset', (_what, bytes, offset, message) => {
    expect(() => readPcap(bytes)).toThrow(
      expect.objectContaining({
        code: 'bad-object',
        message: expect.stringMatching(message),
        ...(offset === undefined ? {} : { details: { offset } }),
      }),
    );
  });
});

describe('writePcap', () => {
  test('writes what readPcap reads', () => {
    const packets = [
      { bytes: first, originalLength: 3, timestampNs: 1_700_000_000_123_456_789n },
      { bytes: second, originalLength: 1500, timestampNs: 0n },
    ];
    expect(readPcap(writePcap(packets, 101))).toEqual({ linkType: 101, packets });
  });

  test('takes packets that are nothing but bytes', () => {
    expect(readPcap(writePcap([{ bytes: second }])).packets).toEqual([
      { bytes: second, originalLength: 60, timestampNs: 0n },
    ]);
  });
});
