/** Hooks of cgroups: this process is in one while it makes the calls that they are about. */
import { closeSync, openSync, readFileSync } from 'node:fs';
import { cgroup, lsmCgroup } from '../../../../src/ebpf/attach/index.js';
import type { AttachTypeWord } from '../../../../src/obj/sections.js';
import {
  addressOf,
  bindSocket,
  connectTo,
  type Family,
  getOption,
  openSocket,
  ownName,
  peerName,
  portOf,
  receiveOn,
  sendOn,
  setOption,
  tcpPair,
} from '../../../support/socket-calls.js';
import { type Bench, type HookCase, proveFiring } from './bench.js';

let names = 0;

/** One datagram over loopback, or between two abstract names. */
export function datagram(family: Family): void {
  using server = openSocket(family, 'datagram');
  using client = openSocket(family, 'datagram');
  names += 1;
  const own = (end: string) => (family === 'unix' ? `netkit-${process.pid}-${names}-${end}` : 0);
  bindSocket(server, addressOf(family, own('server')));
  // Who has no name of its own has none to be told.
  if (family === 'unix') bindSocket(client, addressOf(family, own('client')));
  const to = family === 'unix' ? own('server') : portOf(server);
  ownName(server);
  sendOn(client, addressOf(family, to));
  receiveOn(server);
  connectTo(client, addressOf(family, to));
  peerName(client);
}

function connection(family: 'ipv4' | 'ipv6'): void {
  using pair = tcpPair(family);
  peerName(pair.client);
}

function socketOptions(): void {
  using socket = openSocket('ipv4', 'datagram');
  setOption(socket);
  getOption(socket);
}

function cgroupCase(
  hook: string,
  fire: () => void,
  more: Partial<HookCase> & { readonly attachType?: AttachTypeWord } = {},
): HookCase {
  const { attachType, ...rest } = more;
  return {
    hook,
    ...rest,
    prove: async (bench) => {
      using counted = bench.load(hook);
      return await proveFiring(
        () => counted.hits(),
        () => counted.program.attach(cgroup({ path: bench.cgroup.path, attachType })),
        () => inside(bench, fire),
      );
    },
  };
}

function inside(bench: Bench, fire: () => void): void {
  bench.cgroup.inside(() => bench.netns.inside(fire));
}

const unix = { since: [6, 7] as const, has: 'cgroup/connect_unix' as const };
const four = () => datagram('ipv4');
const six = () => datagram('ipv6');
const local = () => datagram('unix');

export const cgroupCases: readonly HookCase[] = [
  cgroupCase('cgroup/skb', four, { attachType: 'cgroup_inet_egress' }),
  cgroupCase('cgroup_skb/ingress', four),
  cgroupCase('cgroup_skb/egress', four),
  cgroupCase('cgroup/sock', four),
  cgroupCase('cgroup/sock_create', four),
  cgroupCase('cgroup/sock_release', four),
  cgroupCase('cgroup/post_bind4', four),
  cgroupCase('cgroup/post_bind6', six),
  cgroupCase('cgroup/bind4', four),
  cgroupCase('cgroup/bind6', six),
  cgroupCase('cgroup/connect4', () => connection('ipv4')),
  cgroupCase('cgroup/connect6', () => connection('ipv6')),
  cgroupCase('cgroup/connect_unix', local, unix),
  cgroupCase('cgroup/sendmsg4', four),
  cgroupCase('cgroup/sendmsg6', six),
  cgroupCase('cgroup/sendmsg_unix', local, unix),
  cgroupCase('cgroup/recvmsg4', four),
  cgroupCase('cgroup/recvmsg6', six),
  cgroupCase('cgroup/recvmsg_unix', local, unix),
  cgroupCase('cgroup/getpeername4', () => connection('ipv4')),
  cgroupCase('cgroup/getpeername6', () => connection('ipv6')),
  cgroupCase('cgroup/getpeername_unix', local, unix),
  cgroupCase('cgroup/getsockname4', four),
  cgroupCase('cgroup/getsockname6', six),
  cgroupCase('cgroup/getsockname_unix', local, unix),
  cgroupCase('cgroup/sysctl', () => void readFileSync('/proc/sys/kernel/ostype')),
  cgroupCase('cgroup/getsockopt', socketOptions),
  cgroupCase('cgroup/setsockopt', socketOptions),
  cgroupCase('cgroup/dev', () => closeSync(openSync('/dev/null', 'r'))),
  cgroupCase('sockops', () => connection('ipv4')),
  {
    hook: 'lsm_cgroup',
    since: [6, 0],
    has: 'lsm_cgroup',
    prove: async (bench) => {
      using counted = bench.load('lsm_cgroup');
      return await proveFiring(
        () => counted.hits(),
        () => counted.program.attach(lsmCgroup({ path: bench.cgroup.path })),
        () => inside(bench, four),
      );
    },
  },
];
