import { afterEach, describe, expect, it } from 'vitest';
import { hostIsLittleEndian as littleEndian } from '../../../src/base/byte-order.js';
import { setFakeNative } from '../../../src/sys/call.js';
import { SysError } from '../../../src/sys/errno.js';
import { netlinkRequest } from '../../../src/sys/netlink-request.js';
import { uapi } from '../../../src/sys/uapi.js';

/** A kernel that takes one message, and answers with this errno. */
function kernelAnswering(
  errno: number,
  type: number = uapi.NLMSG_ERROR,
): { sent: Uint8Array; closed: number } {
  const seen = { sent: new Uint8Array(), closed: 0 };
  setFakeNative({
    invoke(symbol, args) {
      const bytes = args[1];
      if (symbol === 'send' && bytes instanceof Uint8Array) seen.sent = Uint8Array.from(bytes);
      if (symbol === 'close') seen.closed += 1;
      if (symbol !== 'recv' || !(bytes instanceof Uint8Array)) return { result: symbol === 'socket' ? 7 : 0 };
      const view = new DataView(bytes.buffer);
      view.setUint32(0, 36, littleEndian);
      view.setUint16(4, type, littleEndian);
      view.setInt32(16, -errno, littleEndian);
      return { result: 36 };
    },
  });
  return seen;
}

afterEach(() => setFakeNative(undefined));

describe('a request to rtnetlink', () => {
  it('is a header, the fixed part, and attributes, nested and padded to four bytes', () => {
    const seen = kernelAnswering(0);
    const attributes = [
      { type: 5, value: 'abcd' },
      { type: 6, value: [{ type: 7, value: 0x01020304 }] },
      { type: 8, value: Uint8Array.of(9) },
    ];
    netlinkRequest(uapi.RTM_NEWROUTE, uapi.NLM_F_CREATE, Uint8Array.of(1, 2, 3, 4), attributes, 'try');
    const view = new DataView(seen.sent.buffer);
    expect(view.getUint32(0, littleEndian)).toBe(seen.sent.length);
    expect(view.getUint16(4, littleEndian)).toBe(uapi.RTM_NEWROUTE);
    const flags = uapi.NLM_F_REQUEST | uapi.NLM_F_ACK | uapi.NLM_F_CREATE;
    expect(view.getUint16(6, littleEndian)).toBe(flags);
    expect([...seen.sent.subarray(16, 20)]).toEqual([1, 2, 3, 4]);
    const attribute = (at: number) => [
      view.getUint16(at, littleEndian),
      view.getUint16(at + 2, littleEndian),
    ];
    expect(attribute(20)).toEqual([9, 5]);
    expect(Buffer.from(seen.sent.subarray(24, 29)).toString()).toBe('abcd\0');
    expect(attribute(32)).toEqual([12, 6 | uapi.NLA_F_NESTED]);
    expect(attribute(36)).toEqual([8, 7]);
    expect(view.getUint32(40, littleEndian)).toBe(0x01020304);
    expect(attribute(44)).toEqual([5, 8]);
    expect(seen.sent.length).toBe(52);
    expect(seen.closed).toBe(1);
  });

  it('fails with what the kernel says, and with an answer that is none', () => {
    kernelAnswering(17);
    const request = () => netlinkRequest(uapi.RTM_DELROUTE, 0, new Uint8Array(12), [], 'delete it');
    expect(request).toThrow(SysError);
    expect(request).toThrow('delete it: it exists already (EEXIST)');
    const seen = kernelAnswering(0, 3);
    expect(request).toThrow(/EPROTO/);
    expect(seen.closed).toBe(1);
  });
});
