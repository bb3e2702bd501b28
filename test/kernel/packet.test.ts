import { afterAll, beforeAll, expect, it } from 'vitest';
import { Scope } from '../../src/base/scope.js';
import type { LoadedObject } from '../../src/ebpf/loaded-object.js';
import { loadSource } from '../support/load-source.js';
import {
  ethernet,
  extension,
  fragmentHeader,
  ipv4,
  ipv6,
  type Layer,
  packet,
  payload,
  tcp,
  udp,
  vlan,
} from '../support/packets.js';
import { describeWith, type Requirements } from '../support/requirements.js';

/** What bpf/include/netkit/packet.h makes of a packet, by test/fixtures/packet-walk.bpf.c. */
interface Walk {
  readonly parsed: string;
  readonly fragment: string;
  readonly protocol: number;
  /** The byte behind the headers, 0 at the end of the packet. */
  readonly next: number;
}

const needs: Requirements = { capabilities: ['bpf', 'net_admin', 'perfmon', 'sys_admin'], tools: ['clang'] };
const PARSED = ['ok', 'truncated', 'malformed', 'too deep'];
const FRAGMENT = ['none', 'first', 'later'];
const TCP = 6;
const UDP = 17;
const NONE = 59;
/** The first byte of the ports 40000 that the builder uses. */
const PORT = 40000 >> 8;

let fixture: LoadedObject;

function walk(data: Uint8Array): Walk {
  const { verdict } = fixture.program('walk').testRun({ data });
  return {
    parsed: PARSED[verdict >>> 24] ?? String(verdict),
    fragment: FRAGMENT[(verdict >>> 16) & 0xff] ?? String(verdict),
    protocol: (verdict >>> 8) & 0xff,
    next: verdict & 0xff,
  };
}

const found = (protocol: number, next: number, fragment = 'none'): Walk => ({
  parsed: 'ok',
  fragment,
  protocol,
  next,
});
const options = Uint8Array.from([1, 1, 1, 0]);
const hopByHop = extension(0);
const routing = extension(43, 3);
const destination = extension(60, 2);
const authentication = extension(51, 6);

const walks: readonly (readonly [string, readonly Layer[], Walk])[] = [
  ['IPv4', [ipv4(), udp()], found(UDP, PORT)],
  ['IPv4 with options', [ipv4({ options }), tcp()], found(TCP, PORT)],
  [
    'IPv4 in two VLAN tags',
    [vlan({ id: 1, service: true }), vlan({ id: 2 }), ipv4(), tcp()],
    found(TCP, PORT),
  ],
  [
    'a first IPv4 fragment',
    [ipv4({ fragment: { offset: 0, more: true } }), udp()],
    found(UDP, PORT, 'first'),
  ],
  [
    'a middle IPv4 fragment',
    [ipv4({ fragment: { offset: 8, more: true }, protocol: UDP }), payload(Uint8Array.of(9))],
    found(UDP, 9, 'later'),
  ],
  [
    'the last IPv4 fragment',
    [ipv4({ fragment: { offset: 32768, more: false }, protocol: UDP }), payload(Uint8Array.of(9))],
    found(UDP, 9, 'later'),
  ],
  ['IPv6', [ipv6(), udp()], found(UDP, PORT)],
  ['IPv6 with nothing inside', [ipv6()], found(NONE, 0)],
  ['IPv6 with one extension header', [ipv6(), hopByHop, tcp()], found(TCP, PORT)],
  ['IPv6 with long extension headers', [ipv6(), extension(60, 200), tcp()], found(TCP, PORT)],
  [
    'IPv6 with each kind of extension header',
    [ipv6(), hopByHop, destination, routing, authentication, destination, udp()],
    found(UDP, PORT),
  ],
  [
    'IPv6 with eight extension headers',
    [ipv6(), ...Array<Layer>(8).fill(destination), udp()],
    found(UDP, PORT),
  ],
  [
    'a first IPv6 fragment',
    [ipv6(), hopByHop, fragmentHeader({ offset: 0, more: true }), udp()],
    found(UDP, PORT, 'first'),
  ],
  [
    'an IPv6 packet in one fragment',
    [ipv6(), fragmentHeader({ offset: 0, more: false }), udp()],
    found(UDP, PORT),
  ],
  [
    'a later IPv6 fragment, where the walk ends',
    [ipv6(), fragmentHeader({ offset: 8, more: true, nextHeader: 60 }), payload(Uint8Array.of(9))],
    found(60, 9, 'later'),
  ],
];

describeWith(needs, 'the packet cursor', () => {
  const owned = new Scope();

  beforeAll(async () => {
    fixture = owned.use(await loadSource('test/fixtures/packet-walk.bpf.c'));
  });

  afterAll(() => owned[Symbol.dispose]());

  it.each(walks)('finds what is behind %s', (_name, layers, expected) => {
    expect(walk(packet(ethernet(), ...layers))).toEqual(expected);
  });

  it('gives up on nine extension headers', () => {
    expect(walk(packet(ethernet(), ipv6(), ...Array<Layer>(9).fill(destination), udp())).parsed).toBe(
      'too deep',
    );
  });

  it('notices the end of the frame at every byte of the extension headers', () => {
    const whole = packet(
      ethernet(),
      ipv6(),
      hopByHop,
      routing,
      authentication,
      fragmentHeader({ offset: 0, more: true }),
      udp(),
    );
    const headers = 14 + 40 + 8 + 24 + 24 + 8;
    for (let length = 14; length <= whole.length; length++) {
      const { parsed } = walk(whole.subarray(0, length));
      expect(parsed, `${length} bytes`).toBe(length < headers ? 'truncated' : 'ok');
    }
  });
});
