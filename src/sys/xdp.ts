import { Block, type Layout } from './block.js';
import { declare, invoke } from './call.js';
import type { Fd } from './fd.js';
import { capture } from './libbpf-log.js';
import { checkedNegative } from './status.js';
import { uapi } from './uapi.js';

declare('libbpf', [
  'int bpf_xdp_query(int ifindex, int flags, void *opts)',
  'int bpf_xdp_attach(int ifindex, int prog_fd, uint32_t flags, void *opts)',
]);

/** struct bpf_xdp_attach_opts of bpf/libbpf.h, as of 0.8. */
const attachLayout = {
  size: 16,
  fields: { sz: [0, 8], old_prog_fd: [8, 4] },
} as const satisfies Layout<string>;

const modeFlags = {
  native: uapi.XDP_FLAGS_DRV_MODE,
  generic: uapi.XDP_FLAGS_SKB_MODE,
  offload: uapi.XDP_FLAGS_HW_MODE,
} as const;

/** struct bpf_xdp_query_opts of bpf/libbpf.h, as of 0.8. */
const queryLayout = {
  size: 32,
  fields: {
    sz: [0, 8],
    prog_id: [8, 4],
    drv_prog_id: [12, 4],
    hw_prog_id: [16, 4],
    skb_prog_id: [20, 4],
    attach_mode: [24, 1],
  },
} as const satisfies Layout<string>;

/** Program ids by mode; 0 where there is none. */
export interface XdpOccupants {
  readonly native: number;
  readonly generic: number;
  readonly offload: number;
}

/** What XDP programs an interface of the thread's network namespace has. @throws SysError */
export function queryXdp(ifindex: number): XdpOccupants {
  const options = new Block(queryLayout, { sz: queryLayout.size });
  capture(() => checkedNegative('query XDP', invoke('bpf_xdp_query', [ifindex, 0, options.bytes])));
  const occupants = {
    native: options.get('drv_prog_id'),
    generic: options.get('skb_prog_id'),
    offload: options.get('hw_prog_id'),
  };
  // With a single program the kernel reports it with its mode alone (if_link.h: XDP_ATTACHED_DRV 1, SKB 2, HW 3).
  const modes = ['native', 'generic', 'offload'] as const;
  const mode = modes[options.get('attach_mode') - 1];
  return mode !== undefined && occupants[mode] === 0
    ? { ...occupants, [mode]: options.get('prog_id') }
    : occupants;
}

/**
 * Puts `program` on an interface of the thread's network namespace in place of `expected`, by netlink: without a link, so
 * that it stays when nobody holds it. Without `program` it takes `expected` off, without `expected` it wants the hook empty.
 * Minimum kernel 5.7.
 * @throws SysError EBUSY or EEXIST when something else is there, or there in another mode; EOPNOTSUPP, ERANGE and others of drivers
 */
export function setXdp(
  ifindex: number,
  mode: keyof typeof modeFlags,
  program: Fd | undefined,
  expected: Fd | undefined,
): void {
  const options = new Block(attachLayout, { sz: attachLayout.size, old_prog_fd: expected?.value ?? 0 });
  const compare = expected === undefined ? uapi.XDP_FLAGS_UPDATE_IF_NOEXIST : uapi.XDP_FLAGS_REPLACE;
  const args = [ifindex, program?.value ?? -1, modeFlags[mode] | compare, options.bytes];
  capture(() => checkedNegative('set the XDP program', invoke('bpf_xdp_attach', args)));
}
