import { isIP, isIPv4, SocketAddress } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  clearHostBits,
  formatIpv4,
  formatIpv6,
  formatMac,
  parseIpv4,
  parseIpv6,
  parseMac,
  parsePrefix,
} from '../../../src/base/address.js';
import { NetkitError } from '../../../src/base/errors.js';

function message(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof NetkitError && error.code === 'bad-value') return error.message;
    throw error;
  }
  throw new Error('nothing was thrown');
}

const bytes16 = fc.uint8Array({ minLength: 16, maxLength: 16 });
/** IPv6 addresses with many zero groups, where compression matters. */
const sparse16 = fc
  .array(fc.oneof(fc.constant(0), fc.constant(0xffff), fc.integer({ min: 0, max: 0xffff })), {
    minLength: 8,
    maxLength: 8,
  })
  .map((groups) => Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 0xff])));

describe('IPv4 addresses', () => {
  it('are four decimal parts', () => {
    expect([...parseIpv4('10.0.255.1')]).toEqual([10, 0, 255, 1]);
    expect(formatIpv4(new Uint8Array([9, 10, 0, 255, 1]), 1)).toBe('10.0.255.1');
  });

  it('are refused when another reader would see another address', () => {
    expect(message(() => parseIpv4('010.0.0.1'))).toBe(
      "'010.0.0.1' is not an IPv4 address: a part has a leading zero",
    );
    expect(message(() => parseIpv4('10.1'))).toBe("'10.1' is not an IPv4 address: it needs four parts");
    expect(message(() => parseIpv4('10.0.0.256'))).toMatch(/a part is more than 255/);
    for (const text of [
      '',
      '1.2.3',
      '1.2.3.4.5',
      '1.2.3.',
      ' 1.2.3.4',
      '1.2.3.4 ',
      '0x1.2.3.4',
      '1.2.3.+4',
      '1..2.3',
      '１.2.3.4',
      '1.2.3.4\n',
      '00.0.0.0',
    ]) {
      expect(() => parseIpv4(text), text).toThrow(NetkitError);
    }
  });

  it('are accepted exactly where Node accepts them', () => {
    const almost = fc.stringMatching(/^[0-9]{0,3}\.[0-9]{0,3}\.[0-9]{0,3}\.[0-9]{0,3}$/);
    fc.assert(
      fc.property(fc.oneof(almost, fc.ipV4()), (text) => {
        expect(accepts(() => parseIpv4(text))).toBe(isIPv4(text));
      }),
      { numRuns: 2000 },
    );
  });

  it('survive the way to bytes and back', () => {
    fc.assert(
      fc.property(fc.ipV4(), (text) => {
        expect(formatIpv4(parseIpv4(text))).toBe(text);
      }),
    );
  });
});

function accepts(work: () => unknown): boolean {
  try {
    work();
    return true;
  } catch (error) {
    if (error instanceof NetkitError) return false;
    throw error;
  }
}

describe('IPv6 addresses', () => {
  it.each([
    ['::', '::'],
    ['::1', '::1'],
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
    ['1:0:0:0:0:0:0:0', '1::'],
    ['::ffff:10.0.0.1', '::ffff:10.0.0.1'],
    ['::10.0.0.1', '::a00:1'],
    ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
    ['0001:0002::000a', '1:2::a'],
  ])('%s is written %s', (text, canonical) => {
    expect(formatIpv6(parseIpv6(text))).toBe(canonical);
  });

  it.each([
    '',
    ':',
    ':::',
    '1',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7:8::',
    '::1::',
    '12345::',
    'g::',
    '1.2.3.4',
    '::1.2.3',
    '1.2.3.4::',
    '::1.2.3.4:5',
    'fe80::1%eth0',
    ':1',
    '1:',
    ':1::',
    '::1:',
    '::01.2.3.4',
    ' ::1',
    '1::2:3:4:5:6:7:8',
  ])('refuses %j', (text) => {
    expect(message(() => parseIpv6(text))).toMatch(/is not an IPv6 address: /);
  });

  it('are accepted exactly where Node accepts them, zones aside', () => {
    const piece = fc.constantFrom('', ':', '::', '0', 'f', '12', '1234', '12345', '.', '1.2.3.4', 'ffff:');
    const soup = fc.array(piece, { maxLength: 12 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(fc.oneof(soup, fc.ipV6()), (text) => {
        expect(accepts(() => parseIpv6(text))).toBe(isIP(text) === 6);
      }),
      { numRuns: 5000 },
    );
  });

  it('keep their bytes through text, and print as the C library prints them', () => {
    fc.assert(
      fc.property(fc.oneof(bytes16, sparse16), (bytes) => {
        const text = formatIpv6(bytes);
        expect(parseIpv6(text)).toEqual(bytes);
        const libc = new SocketAddress({ family: 'ipv6', address: text }).address;
        // The C library also dots the deprecated IPv4-compatible form; RFC 5952 does not ask for that.
        if (!(libc.includes('.') && !libc.startsWith('::ffff:'))) expect(text).toBe(libc);
      }),
      { numRuns: 3000 },
    );
  });
});

describe('MAC addresses', () => {
  it('are six pairs of hex digits', () => {
    expect([...parseMac('02:00:00:AB:00:01')]).toEqual([2, 0, 0, 0xab, 0, 1]);
    expect(formatMac(new Uint8Array([2, 0, 0, 0xab, 0, 1]))).toBe('02:00:00:ab:00:01');
    for (const text of [
      '',
      '2:0:0:0:0:1',
      '02:00:00:00:00',
      '02:00:00:00:00:01:02',
      '02-00-00-00-00-01',
      '020000000001',
      '02:00:00:00:00:0g',
    ]) {
      expect(() => parseMac(text), text).toThrow(/is not a MAC address/);
    }
  });
});

describe('prefixes', () => {
  it('are an address and a length, full length when bare', () => {
    expect(parsePrefix('10.0.0.0/8')).toEqual({ family: 4, bytes: new Uint8Array([10, 0, 0, 0]), length: 8 });
    expect(parsePrefix('10.1.2.3')).toMatchObject({ family: 4, length: 32 });
    expect(parsePrefix('2001:db8::1')).toMatchObject({ family: 6, length: 128 });
    expect(parsePrefix('0.0.0.0/0')).toMatchObject({ family: 4, length: 0 });
    expect(parsePrefix('::/0')).toMatchObject({ family: 6, length: 0 });
    expect(parsePrefix('2001:db8::/33')).toMatchObject({ family: 6, length: 33 });
  });

  it('with host bits are refused by the name of the network that was meant', () => {
    expect(message(() => parsePrefix('10.1.0.0/8'))).toBe(
      '10.1.0.0/8 has host bits set: did you mean 10.0.0.0/8?',
    );
    expect(message(() => parsePrefix('2001:db8::1/32'))).toBe(
      '2001:db8::1/32 has host bits set: did you mean 2001:db8::/32?',
    );
    expect(message(() => parsePrefix('10.0.0.1/31'))).toMatch('10.0.0.0/31');
  });

  it.each([
    '10.0.0.0/33',
    '::/129',
    '10.0.0.0/',
    '10.0.0.0/08',
    '10.0.0.0/-1',
    '10.0.0.0/8/8',
    '10.0.0.0/255.0.0.0',
    '/8',
    '10.0.0.0/ 8',
    '',
  ])('refuses %j', (text) => {
    expect(() => parsePrefix(text)).toThrow(NetkitError);
  });

  it('clears exactly the bits after the length', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 16 }), fc.nat(128), (bytes, some) => {
        const length = some % (bytes.length * 8 + 1);
        const bits = (all: Uint8Array) =>
          Array.from(all, (byte) => byte.toString(2).padStart(8, '0')).join('');
        const before = bits(bytes);
        const wasSet = clearHostBits(bytes, length);
        expect(bits(bytes)).toBe(before.slice(0, length).padEnd(before.length, '0'));
        expect(wasSet).toBe(before.slice(length).includes('1'));
      }),
    );
  });
});

it('never throws anything but NetkitError for random text', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ unit: fc.constantFrom('0', '1', 'f', ':', '.', '/', '%', ' ') }),
  );
  fc.assert(
    fc.property(text, (input) => {
      for (const parse of [parseIpv4, parseIpv6, parseMac, parsePrefix]) accepts(() => parse(input));
    }),
    { numRuns: 2000 },
  );
});
