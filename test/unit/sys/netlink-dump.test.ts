import { afterEach, describe, expect, it } from 'vitest';
import { hostIsLittleEndian as littleEndian } from '../../../src/base/byte-order.js';
import { setFakeNative } from '../../../src/sys/call.js';
import { encodeAll, type NetlinkAttribute, textOf } from '../../../src/sys/netlink-attributes.js';
import { netlinkDump } from '../../../src/sys/netlink-dump.js';
import { uapi } from '../../../src/sys/uapi.js';

function message(type: number, fixed: Uint8Array, attributes: readonly NetlinkAttribute[] = []): Uint8Array {
  const body = Buffer.concat([fixed, encodeAll(attributes)]);
  const bytes = new Uint8Array(16 + body.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, bytes.length, littleEndian);
  view.setUint16(4, type, littleEndian);
  bytes.set(body, 16);
  return bytes;
}

/** A kernel that sends these, one after the other, however often it is asked. */
function kernelSending(...sent: readonly Uint8Array[]): { closed: number } {
  const seen = { closed: 0 };
  const left = [...sent];
  setFakeNative({
    invoke(symbol, args) {
      const bytes = args[1];
      if (symbol === 'close') seen.closed += 1;
      if (symbol !== 'recv' || !(bytes instanceof Uint8Array)) return { result: symbol === 'socket' ? 7 : 0 };
      const next = left.shift() ?? new Uint8Array();
      bytes.set(next);
      return { result: next.length };
    },
  });
  return seen;
}

afterEach(() => setFakeNative(undefined));

describe('a list that rtnetlink gives', () => {
  const list = () =>
    netlinkDump(
      { request: uapi.RTM_GETQDISC, answer: uapi.RTM_NEWQDISC, fixed: new Uint8Array(4) },
      'list them',
    ).map(({ fixed, attributes }) => [fixed.getUint8(0), textOf(attributes.get(uapi.TCA_KIND))]);
  const qdisc = (number: number, kind: string): Uint8Array =>
    message(uapi.RTM_NEWQDISC, Uint8Array.of(number, 0, 0, 0), [{ type: uapi.TCA_KIND, value: kind }]);
  const end = message(uapi.NLMSG_DONE, new Uint8Array(4));

  it('is made of the messages of its type, several of which may come at a time, up to the end', () => {
    const other = message(uapi.RTM_NEWROUTE, new Uint8Array(8));
    const seen = kernelSending(
      Buffer.concat([qdisc(1, 'clsact'), other, qdisc(2, 'fq')]),
      qdisc(3, 'mq'),
      end,
    );
    expect(list()).toEqual([
      [1, 'clsact'],
      [2, 'fq'],
      [3, 'mq'],
    ]);
    expect(seen.closed).toBe(1);
  });

  it.each([
    ['in the middle of a message', [qdisc(1, 'clsact').subarray(0, 20)], /EPROTO/],
    ['before the end', [qdisc(1, 'clsact')], /EPROTO/],
    ['in what each begins with', [message(uapi.RTM_NEWQDISC, new Uint8Array(2)), end], /EPROTO/],
    ['by an error', [message(uapi.NLMSG_ERROR, new Uint8Array(Int32Array.of(-19).buffer))], /ENODEV/],
    [
      'by an error at the end',
      [qdisc(1, 'clsact'), message(uapi.NLMSG_DONE, new Uint8Array(Int32Array.of(-4).buffer))],
      /EINTR/,
    ],
  ])('does not pass for a shorter one when it is cut short %s', (_what, sent, why) => {
    const seen = kernelSending(...sent);
    expect(list).toThrow(why);
    expect(seen.closed).toBe(1);
  });
});
