/** tc filters of kind bpf on a clsact qdisc, through libbpf's netlink code. Acts in the thread's network namespace. */

import { Block, type Layout } from './block.js';
import { declare, invoke } from './call.js';
import { errnoName } from './errno.js';
import { capture } from './libbpf-log.js';
import { checkedNegative } from './status.js';

declare('libbpf', [
  'int bpf_tc_hook_create(void *hook)',
  'int bpf_tc_hook_destroy(void *hook)',
  'int bpf_tc_attach(void *hook, void *opts)',
  'int bpf_tc_detach(void *hook, void *opts)',
  'int bpf_tc_query(void *hook, void *opts)',
]);

// struct bpf_tc_hook and bpf_tc_opts of bpf/libbpf.h; the first member is the size of what the caller knows.
const hookLayout = {
  size: 24,
  fields: { sz: [0, 8], ifindex: [8, 4], attach_point: [12, 4], parent: [16, 4] },
} as const satisfies Layout<string>;
const optionsLayout = {
  size: 32,
  fields: {
    sz: [0, 8],
    prog_fd: [8, 4],
    flags: [12, 4],
    prog_id: [16, 4],
    handle: [20, 4],
    priority: [24, 4],
  },
} as const satisfies Layout<string>;

export type TcDirection = 'ingress' | 'egress';
/** enum bpf_tc_attach_point */
const attachPoints = { ingress: 1, egress: 2 } as const;
const BPF_TC_F_REPLACE = 1;

/** Names one filter of an interface. */
export interface TcFilter {
  readonly ifindex: number;
  readonly direction: TcDirection;
  readonly handle: number;
  readonly priority: number;
}

function hook(ifindex: number, attachPoint: number): Uint8Array {
  return new Block(hookLayout, { sz: hookLayout.size, ifindex, attach_point: attachPoint }).bytes;
}

/** @returns the status: 0 or -errno. The warning that libbpf prints is part of no error here. */
function call(
  symbol: string,
  ifindex: number,
  point: number,
  options?: Block<keyof typeof optionsLayout.fields>,
): number {
  const args = options === undefined ? [hook(ifindex, point)] : [hook(ifindex, point), options.bytes];
  return capture(() => Number(invoke(symbol, args))).result;
}

/** Adds the clsact qdisc. @returns false when the interface has one already. @throws SysError */
export function addClsact(ifindex: number): boolean {
  const status = call('bpf_tc_hook_create', ifindex, attachPoints.ingress);
  if (status < 0 && errnoName(-status) === 'EEXIST') return false;
  checkedNegative('add a clsact qdisc', status);
  return true;
}

/** Deletes the clsact qdisc **with every filter on it**: the caller has made sure that it is its own and empty. @throws SysError */
export function deleteClsact(ifindex: number): void {
  checkedNegative(
    'delete a clsact qdisc',
    call('bpf_tc_hook_destroy', ifindex, attachPoints.ingress | attachPoints.egress),
  );
}

function optionsOf(filter: TcFilter): Block<keyof typeof optionsLayout.fields> {
  return new Block(optionsLayout, {
    sz: optionsLayout.size,
    handle: filter.handle,
    priority: filter.priority,
  });
}

/** Adds the filter, or with `replace` puts another program into it. @throws SysError EEXIST when the place is taken */
export function attachTcFilter(filter: TcFilter, programFd: number, replace = false): void {
  const options = optionsOf(filter).set('prog_fd', programFd);
  if (replace) options.set('flags', BPF_TC_F_REPLACE);
  checkedNegative(
    'add a tc filter',
    call('bpf_tc_attach', filter.ifindex, attachPoints[filter.direction], options),
  );
}

/** @throws SysError ENOENT when there is no such filter */
export function detachTcFilter(filter: TcFilter): void {
  checkedNegative(
    'delete a tc filter',
    call('bpf_tc_detach', filter.ifindex, attachPoints[filter.direction], optionsOf(filter)),
  );
}

/** The id of the program in a filter, or undefined when there is no such filter, qdisc or interface. @throws SysError */
export function queryTcFilter(filter: TcFilter): number | undefined {
  const options = optionsOf(filter);
  const status = call('bpf_tc_query', filter.ifindex, attachPoints[filter.direction], options);
  // EINVAL: no such qdisc.
  if (status < 0 && ['ENOENT', 'EINVAL', 'ENODEV'].includes(errnoName(-status))) return undefined;
  checkedNegative('look for a tc filter', status);
  return options.get('prog_id');
}
