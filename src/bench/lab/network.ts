/**
 * The benchmark's own network: one namespace that sends, and a receiving one for each thing that is measured, each joined to
 * the first by a veth pair. All stand at the same time, so that changing from one to the next costs nothing. The namespaces
 * have no names: the kernel removes them with the process, however that ends.
 */
import { existsSync, writeFileSync } from 'node:fs';
import { NetkitError } from '../../base/errors.js';
import type { Scope } from '../../base/scope.js';
import { runInside } from '../../host/command-inside.js';
import { setGro } from '../../host/interface-settings.js';
import { findInterface } from '../../host/interfaces.js';
import { type Netns, newNetns, withNetns } from '../../host/netns.js';
import type { CommandLog, Place } from './command-log.js';
import { type NapiThread, threadedNapi } from './napi-thread.js';
import type { Endpoint, Family } from './packet.js';

/** One end of a pair. */
export interface End {
  readonly place: Place;
  readonly ifname: string;
  readonly ifindex: number;
  readonly endpoint: Endpoint;
}

/** A sender and a receiver. */
export interface Ends {
  readonly from: End;
  readonly to: End;
}

/** Those that packets get through. */
export interface Wire extends Ends {
  /** What takes packets off the wire at the receiver. */
  readonly napi: NapiThread;
}

export interface NetworkOptions {
  readonly family: Family;
  /** Where packets are received. */
  readonly cpu: number;
  readonly log: CommandLog;
  /** Whether the sender has an address, too, and is answered: then there is one pair alone. */
  readonly isAnswered?: boolean;
}

/** The same in each pair: every receiver has a namespace of its own, and the senders need no address. */
const addresses = {
  ipv4: {
    from: { text: '10.0.0.1', bytes: [10, 0, 0, 1] },
    to: { text: '10.0.0.2', bytes: [10, 0, 0, 2] },
    prefix: 24,
  },
  ipv6: {
    from: { text: 'fd00::1', bytes: [0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1] },
    to: { text: 'fd00::2', bytes: [0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2] },
    prefix: 64,
  },
} as const;
/** How the address of an end is written. */
export function addressText(family: Family, end: 'from' | 'to'): string {
  return addresses[family][end].text;
}

const macs = { from: '02:00:00:00:00:01', to: '02:00:00:00:00:02' } as const;

/** Interfaces that are in no other benchmark at the same time: threads of the kernel are told apart by them. */
const prefix = `nk${process.pid.toString(36)}`;
/** Of all networks of this process. */
let pairs = 0;

export class LabNetwork {
  readonly sender: Place;
  readonly #options: NetworkOptions;
  readonly #scope: Scope;

  /** @throws NetkitError `not-permitted` */
  constructor(scope: Scope, options: NetworkOptions) {
    this.#options = options;
    this.#scope = scope;
    this.sender = { netns: scope.use(newNetns()), title: 'sender' };
    quiet(this.sender.netns, options.isAnswered === true ? options.family : 'ipv4');
  }

  /** Another pair, ready to take packets. @throws NetkitError `tool-missing`, `unsupported` */
  async wire(): Promise<Wire> {
    const ends = this.#pair();
    const { place, ifname } = ends.to;
    setGro(place.netns, ifname, true);
    const { cpu, log } = this.#options;
    const napi = await threadedNapi(place.netns, ifname, cpu);
    log.note(place.title, `ethtool -K ${ifname} gro on`);
    log.note(place.title, `echo 1 > /sys/class/net/${ifname}/threaded`);
    log.note('host', `taskset -p -c ${cpu} $(pgrep napi/${ifname})`);
    return { ...ends, napi };
  }

  #pair(): Ends {
    pairs += 1;
    const { family, log, isAnswered = false } = this.#options;
    const [sends, receives] = [`${prefix}s${pairs}`, `${prefix}r${pairs}`];
    const sender = this.sender;
    const receiver: Place = { netns: this.#scope.use(newNetns()), title: 'receiver' };
    const plan = addresses[family];
    quiet(receiver.netns, family);
    const add = (where: string): string =>
      `link add ${sends} address ${macs.from} type veth peer name ${receives} address ${macs.to} netns ${where}`;
    // Nobody resolves addresses: no packet passes but those that are counted.
    const setUpOf = (ifname: string, own: 'from' | 'to', other: 'from' | 'to'): string[] => [
      `addr add ${plan[own].text}/${plan.prefix} dev ${ifname}${family === 'ipv6' ? ' nodad' : ''}`,
      `link set ${ifname} up`,
      `neigh replace ${plan[other].text} lladdr ${macs[other]} nud permanent dev ${ifname}`,
    ];
    const setUpSender = isAnswered ? setUpOf(sends, 'from', 'to') : [`link set ${sends} up`];
    ipBatch(sender, [add(`/proc/${process.pid}/fd/${receiver.netns.fd}`), ...setUpSender]);
    const setUp = setUpOf(receives, 'to', 'from');
    ipBatch(receiver, ['link set lo up', ...setUp]);
    for (const line of [add('receiver'), ...setUpSender]) log.note(sender.title, `ip ${line}`);
    for (const line of setUp) log.note(receiver.title, `ip ${line}`);
    const end = (place: Place, ifname: string, side: 'from' | 'to'): End => ({
      place,
      ifname,
      ifindex: findInterface(ifname, place.netns).ifindex,
      endpoint: { mac: macs[side], address: Uint8Array.from(plan[side].bytes) },
    });
    return { from: end(sender, sends, 'from'), to: end(receiver, receives, 'to') };
  }
}

function ipBatch(place: Place, lines: readonly string[]): void {
  runInside(place.netns, 'ip', ['-batch', '-'], `${lines.join('\n')}\n`);
}

/** No packet of the kernel's own: router solicitations and the like would be counted. */
function quiet(netns: Netns, family: Family): void {
  withNetns(netns, () => {
    for (const which of ['all', 'default']) {
      const folder = `/proc/sys/net/ipv6/conf/${which}`;
      if (!existsSync(folder)) {
        if (family === 'ipv4') return;
        throw new NetkitError('unsupported', 'this kernel has no IPv6');
      }
      if (family === 'ipv4') writeFileSync(`${folder}/disable_ipv6`, '1');
      else for (const file of chatty) writeFileSync(`${folder}/${file}`, '0');
      // No link-local addresses either.
      if (family === 'ipv6' && existsSync(`${folder}/addr_gen_mode`))
        writeFileSync(`${folder}/addr_gen_mode`, '1');
    }
  });
}

const chatty = ['accept_ra', 'accept_dad', 'autoconf', 'router_solicitations'] as const;
