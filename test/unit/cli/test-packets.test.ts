import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packetsFromFile, packetsFromHex } from '../../../src/cli/test-packets.js';
import { writePcap } from '../../../src/obj/pcap.js';

const header = 'ffffffffffff0200000000010806';

describe('a packet in hexadecimal', () => {
  it('is its bytes', () => {
    const [packet] = packetsFromHex([header]);
    expect(packet?.bytes).toEqual(Uint8Array.from(Buffer.from(header, 'hex')));
  });

  it('may have spaces and colons between its digits, and capital letters', () => {
    const [packet] = packetsFromHex(['FF:FF:FF:FF:FF:FF 02:00:00:00:00:01 0806']);
    expect(packet?.bytes).toEqual(packetsFromHex([header])[0]?.bytes);
  });

  it.each([
    ['abc', /odd number of digits \(3\)/],
    [`${header}0`, /odd number of digits \(29\)/],
    [`${header}0g`, /'g' is not a hexadecimal digit/],
    [`0x${header}`, /'x' is not a hexadecimal digit/],
    [header.slice(2), /13 bytes are too short/],
    ['', /0 bytes are too short/],
  ])('%j is refused with status 2', (text, message) => {
    expect(() => packetsFromHex([text])).toThrow(
      expect.objectContaining({ exitStatus: 2, message: expect.stringMatching(message) }),
    );
  });

  it('that is wrong among several is named by its place', () => {
    expect(() => packetsFromHex([header, 'abc'])).toThrow(/^--hex number 2: /);
  });
});

describe('packets of a capture file', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'netkit-packets-'));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });
  const whole = Uint8Array.from(Buffer.from(header, 'hex'));
  function file(name: string, bytes: Uint8Array | string): string {
    const path = join(folder, name);
    writeFileSync(path, bytes);
    return path;
  }

  it('come in order, as far as the limit, with their times', () => {
    const packets = [1, 2, 3].map((n) => ({ bytes: Uint8Array.of(...whole, n), timestampNs: BigInt(n) }));
    const path = file('three.pcap', writePcap(packets));
    expect(packetsFromFile(path).map(({ timestampNs }) => timestampNs)).toEqual([1n, 2n, 3n]);
    expect(packetsFromFile(path, 2).map(({ bytes }) => bytes.at(-1))).toEqual([1, 2]);
  });

  it('say when the capture has only a part of them', () => {
    const path = file('cut.pcap', writePcap([{ bytes: whole, originalLength: 60 }, { bytes: whole }]));
    expect(packetsFromFile(path).map(({ cut }) => cut)).toEqual([true, false]);
  });

  it.each([
    ['text', 'no capture at all', /not a pcap or pcapng file/],
    ['nothing', '', /the file is empty/],
    ['bare IP', writePcap([{ bytes: whole }], 101), /link type 101, not of Ethernet/],
    [
      'a short packet',
      writePcap([{ bytes: whole }, { bytes: whole.subarray(1) }]),
      /packet 2: 13 bytes are too short/,
    ],
    ['a part of a file', writePcap([{ bytes: whole }]).subarray(0, 45), /cut short/],
  ])('are refused with status 2 where the file holds %s', (_what, bytes, message) => {
    const path = file('bad.pcap', bytes);
    expect(() => packetsFromFile(path)).toThrow(
      expect.objectContaining({ exitStatus: 2, message: expect.stringMatching(message) }),
    );
  });

  it('are not found with status 3 where there is no file', () => {
    expect(() => packetsFromFile(join(folder, 'missing'))).toThrow(
      expect.objectContaining({ exitStatus: 3 }),
    );
  });
});
