/** Hooks on a packet's way through an interface, a route, a firewall. */

import { closeSync, existsSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { Scope } from '../../../../src/base/scope.js';
import {
  type AttachOptions,
  cpumapEntry,
  devmapEntry,
  type LwtPoint,
  lirc,
  lwt,
  netfilter,
  netkitDev,
  tc,
  tcAction,
  tcx,
  xdp,
} from '../../../../src/ebpf/attach/index.js';
import { configured } from '../../../support/kernel-config.js';
import { makeNetns, makeVethPair, pingCount, uniqueName, type VethPair } from '../../../support/netns.js';
import { addressOf, openSocket, sendOn } from '../../../support/socket-calls.js';
import { type Bench, type HookCase, proveFiring } from './bench.js';

function vethCase(
  hook: string,
  options: (veth: VethPair) => AttachOptions,
  more: Partial<HookCase> = {},
): HookCase {
  return {
    hook,
    ...more,
    prove: async (bench) => {
      using veth = makeVethPair();
      using counted = bench.load(hook);
      return await proveFiring(
        () => counted.hits(),
        () => counted.program.attach(options(veth)),
        () => void pingCount(veth.a.netns, veth.b.address, 1),
      );
    },
  };
}

const target = ({ b }: VethPair) => ({ ifname: b.ifname, netns: b.netns.handle });
const onTcx = { since: [6, 6] as const, has: 'tcx/ingress' as const };

/** Packets that a program redirects to an entry of a map, which has the program to prove. */
function mapCase(hook: string, kind: 'devmap' | 'cpumap', more: Partial<HookCase> = {}): HookCase {
  const suffix = hook.startsWith('xdp.frags') ? '_frags' : '';
  const redirecting = `${kind === 'devmap' ? 'to_device' : 'to_processor'}${suffix}`;
  return {
    hook,
    ...more,
    prove: async (bench) => {
      using veth = makeVethPair();
      using further = makeVethPair({ a: veth.b.netns });
      using counted = bench.load(hook, [redirecting, 'pass']);
      const { object, program } = counted;
      using _receiver = object.program('pass').attach(xdp(target(further)));
      using _redirect = object.program(redirecting).attach(xdp(target(veth)));
      const options =
        kind === 'devmap'
          ? devmapEntry({
              map: object.map('devices'),
              key: 1,
              ifname: further.a.ifname,
              netns: further.a.netns.handle,
            })
          : cpumapEntry({ map: object.map('processors'), cpu: 0, queueSize: 64 });
      return await proveFiring(
        () => counted.hits(),
        () => program.attach(options),
        () => void pingCount(veth.a.netns, veth.b.address, 1),
      );
    },
  };
}

const frags = { since: [5, 18] as const };

/** A new pair of interfaces of type netkit, in two namespaces, with addresses. */
function netkitPair(scope: Scope): { primary: string; address: string; netns: ReturnType<typeof makeNetns> } {
  const [near, far] = [scope.use(makeNetns()), scope.use(makeNetns())];
  const primary = uniqueName();
  near.run('ip', ['link', 'add', primary, 'type', 'netkit']);
  const peer = /(nk\d+)/.exec(
    near.run('ip', ['-o', 'link', 'show', 'type', 'netkit']).replaceAll(primary, ''),
  )?.[1];
  if (peer === undefined) throw new Error('the pair has no peer');
  near.run('ip', ['link', 'set', peer, 'netns', far.name]);
  near.run('ip', ['addr', 'add', '10.78.0.1/24', 'dev', primary]);
  near.run('ip', ['link', 'set', primary, 'up']);
  far.run('ip', ['addr', 'add', '10.78.0.2/24', 'dev', peer]);
  far.run('ip', ['link', 'set', peer, 'up']);
  return { primary, address: '10.78.0.2', netns: near };
}

function netkitCase(hook: string, end: 'primary' | 'peer'): HookCase {
  return {
    hook,
    since: [6, 7],
    has: 'netkit-dev',
    tryInVain: (bench) => {
      using veth = makeVethPair();
      using counted = bench.load(hook);
      using _link = counted.program.attach(netkitDev({ ...target(veth), end }));
    },
    prove: async (bench) => {
      using scope = new Scope();
      const { primary, address, netns } = netkitPair(scope);
      using counted = bench.load(hook);
      return await proveFiring(
        () => counted.hits(),
        () => counted.program.attach(netkitDev({ ifname: primary, end, netns: netns.handle })),
        () => void pingCount(netns, address, 1),
      );
    },
  };
}

function sendUdp(veth: VethPair, family: 'ipv4' | 'ipv6', bytes: readonly number[]): void {
  const address = addressOf(family, 9);
  address.set(bytes, family === 'ipv4' ? 4 : 8);
  veth.a.netns.inside(() => {
    using socket = openSocket(family, 'datagram');
    sendOn(socket, address);
  });
}

function lwtCase(hook: string, point: LwtPoint): HookCase {
  return {
    hook,
    prove: async (bench) => {
      using veth = makeVethPair();
      const destination = '10.99.0.0/24';
      const { a, b } = veth;
      // In: on the machine that forwards. Out and xmit: on the one that sends.
      const at = point === 'in' ? b : a;
      if (point === 'in') {
        b.netns.inside(() => writeFileSync('/proc/sys/net/ipv4/ip_forward', '1'));
        a.netns.run('ip', ['route', 'add', destination, 'via', b.address]);
      } else {
        // So that there is a way without the program too.
        a.netns.run('ip', ['route', 'add', '10.0.0.0/8', 'via', b.address]);
      }
      using counted = bench.load(hook);
      const via = point === 'in' ? undefined : b.address;
      return await proveFiring(
        () => counted.hits(),
        () =>
          counted.program.attach(lwt({ point, destination, ifname: at.ifname, via, netns: at.netns.handle })),
        () => sendUdp(veth, 'ipv4', [10, 99, 0, 1]),
      );
    },
  };
}

const segmentCase: HookCase = {
  hook: 'lwt_seg6local',
  prove: async (bench) => {
    using veth = makeVethPair({ ipv6: true });
    const { a, b } = veth;
    a.netns.run('ip', ['addr', 'add', 'fd00:77::1/64', 'dev', a.ifname, 'nodad']);
    b.netns.run('ip', ['addr', 'add', 'fd00:77::2/64', 'dev', b.ifname, 'nodad']);
    b.netns.inside(() => writeFileSync('/proc/sys/net/ipv6/conf/all/forwarding', '1'));
    a.netns.run('ip', ['-6', 'route', 'add', 'fd00:99::/64', 'via', 'fd00:77::2', 'dev', a.ifname]);
    const segments = ['encap', 'seg6', 'mode', 'encap', 'segs', 'fd00:99::6,fd00:99::7'];
    a.netns.run('ip', ['-6', 'route', 'add', 'fd00:88::/64', ...segments, 'dev', a.ifname]);
    using counted = bench.load('lwt_seg6local');
    const options = lwt({
      point: 'seg6local',
      destination: 'fd00:99::6',
      ifname: b.ifname,
      netns: b.netns.handle,
    });
    return await proveFiring(
      () => counted.hits(),
      () => counted.program.attach(options),
      () => sendUdp(veth, 'ipv6', [0xfd, 0, 0, 0x88, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]),
    );
  },
};

const receiver = '/dev/lirc0';

/** Sends through the receiver's own loopback. */
function sendInfrared(): void {
  const fd = openSync(receiver, 'r+');
  try {
    writeSync(fd, new Uint8Array(Uint32Array.of(500, 500, 500).buffer));
  } finally {
    closeSync(fd);
  }
}

const lircCase: HookCase = {
  hook: 'lirc_mode2',
  has: 'lirc_mode2',
  lacks: () => (existsSync(receiver) ? undefined : `no infrared receiver: there is no ${receiver}`),
  prove: async (bench: Bench) => {
    using counted = bench.load('lirc_mode2');
    return await proveFiring(
      () => counted.hits(),
      () => counted.program.attach(lirc({ device: receiver })),
      sendInfrared,
    );
  },
};

export const packetCases: readonly HookCase[] = [
  vethCase('xdp', (veth) => xdp(target(veth))),
  vethCase('xdp.frags', (veth) => xdp({ ...target(veth), mode: 'generic' }), frags),
  mapCase('xdp/devmap', 'devmap'),
  mapCase('xdp.frags/devmap', 'devmap', frags),
  mapCase('xdp/cpumap', 'cpumap'),
  mapCase('xdp.frags/cpumap', 'cpumap', frags),
  vethCase('tcx/ingress', (veth) => tcx({ ...target(veth), direction: 'ingress' }), onTcx),
  vethCase('tcx/egress', (veth) => tcx({ ...target(veth), direction: 'egress' }), onTcx),
  vethCase('tc/ingress', (veth) => tc({ ...target(veth), direction: 'ingress', priority: 50 })),
  vethCase('tc/egress', (veth) => tc({ ...target(veth), direction: 'egress', priority: 50 })),
  vethCase('tc', (veth) => tc({ ...target(veth), direction: 'ingress', priority: 1 })),
  vethCase('classifier', (veth) => tc({ ...target(veth), direction: 'egress', priority: 65535 })),
  vethCase('action', (veth) => tcAction({ ...target(veth), direction: 'ingress', priority: 7 }), {
    lacks: () =>
      configured('CONFIG_NET_ACT_BPF') === false ? 'built without CONFIG_NET_ACT_BPF' : undefined,
  }),
  netkitCase('netkit/primary', 'primary'),
  netkitCase('netkit/peer', 'peer'),
  vethCase(
    'netfilter',
    ({ b }) => netfilter({ family: 'ipv4', stage: 'input', priority: -100, netns: b.netns.handle }),
    { since: [6, 4], has: 'netfilter' },
  ),
  lwtCase('lwt_in', 'in'),
  lwtCase('lwt_out', 'out'),
  lwtCase('lwt_xmit', 'xmit'),
  segmentCase,
  lircCase,
];
