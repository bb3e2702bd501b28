/** Routes: `10.1.0.0/24 dev eth0 via 10.0.0.1 table 100`, as `ip route` writes them. */
import { parseAddress, parsePrefix } from '../../base/address.js';
import { NetkitError } from '../../base/errors.js';
import { mainTable } from '../../ebpf/lwt-route.js';
import { findInterface } from '../../host/interfaces.js';
import { openNetns } from '../../host/netns.js';
import type { TargetOf } from '../link-state.js';
import { inodeMeant, recordedNetns, type Where } from './namespace.js';
import type { TargetKind } from './target-kind.js';

export type RouteTarget = TargetOf<'route'>;

const form = /^([0-9a-f.:]+(?:\/\d{1,3})?) dev (\S{1,15})(?: via ([0-9a-f.:]+))?(?: table (\d{1,10}))?$/i;

export function couldBeRoute(text: string): boolean {
  return form.test(text);
}

/** @throws NetkitError `usage`, `bad-value`, `not-found` */
export function routeNamed(text: string, where: Where): RouteTarget {
  const [, destination = '', ifname = '', via, table] = form.exec(text) ?? [];
  if (destination === '') {
    throw new NetkitError('usage', `'${text}' is not a route`, {
      hint: "in one word: 'DESTINATION dev INTERFACE', and perhaps 'via ADDRESS' and 'table NUMBER' behind it",
    });
  }
  const { length } = parsePrefix(destination);
  if (via !== undefined) parseAddress(via);
  const { ifindex } = findInterface(ifname, where.netns);
  return {
    kind: 'route',
    destination: destination.includes('/') ? destination : `${destination}/${length}`,
    via: via ?? null,
    table: checkedTable(table),
    ifname,
    ifindex,
    netns: recordedNetns(where),
  };
}

function checkedTable(text: string | undefined): number {
  const table = text === undefined ? mainTable : Number(text);
  if (table >= 1 && table <= 0xffffffff) return table;
  throw new NetkitError('usage', `there is no routing table ${text}: they are 1 to 4294967295`);
}

function textOf({ destination, via, table, ifname }: RouteTarget): string {
  const gateway = via === null ? '' : ` via ${via}`;
  return `${destination} dev ${ifname}${gateway}${table === mainTable ? '' : ` table ${table}`}`;
}

export const routes: TargetKind<RouteTarget> = {
  kind: 'route',
  same: (one, other) =>
    one.netns.inode === other.netns.inode &&
    one.ifindex === other.ifindex &&
    one.table === other.table &&
    one.destination === other.destination,
  text: textOf,
  describe: (target) =>
    `${textOf(target)}${target.netns.ref === null ? '' : ` in netns ${target.netns.ref}`}`,
  whereabouts(target, here) {
    const { inode, ref } = target.netns;
    if (inode === here) return textOf(target);
    return `${textOf(target)}${ref === null ? ' in another network namespace' : ` in netns ${ref}`}`;
  },
  nameFor: ({ destination, table }) =>
    `${destination.replaceAll(/[/:.]/g, '-')}${table === mainTable ? '' : `-${table}`}`,
  gone: 'the route is gone, or another is in its place',
  meant({ text, netns }) {
    if (text === undefined && netns === undefined) return () => true;
    const inode = inodeMeant(netns);
    return (target) =>
      target.netns.inode === inode &&
      (text === undefined || text === target.destination || text === textOf(target));
  },
  relocate(target) {
    const { ref } = target.netns;
    using netns = ref === null ? undefined : openNetns(ref);
    const { ifindex, netnsInode } = findInterface(target.ifname, netns);
    return { ...target, ifindex, netns: { ref, inode: netnsInode } };
  },
};
