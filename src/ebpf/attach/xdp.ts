import { NetkitError } from '../../base/errors.js';
import { attachTypes } from '../../base/kernel-words.js';
import { findInterface, type Interface } from '../../host/interfaces.js';
import { type Netns, withNetns } from '../../host/netns.js';
import { createLink } from '../../sys/bpf.js';
import { isErrno, type SysError } from '../../sys/errno.js';
import { uapi } from '../../sys/uapi.js';
import { queryXdp } from '../../sys/xdp.js';
import { openId } from '../by-id.js';
import { Link } from '../link.js';
import type { Program } from '../program.js';
import { readProgramInfo } from '../program-info.js';

/** `native`: in the driver. `generic`: in the network stack, on any interface, slower. `offload`: on the card. */
export type XdpMode = 'native' | 'generic' | 'offload';

/** Where to attach with XDP; made by {@link xdp}. */
export interface XdpOptions {
  readonly hook: 'xdp';
  /** The interface's name. */
  readonly ifname: string;
  readonly mode: XdpMode;
  /** Where the interface is; the current network namespace when left out. */
  readonly netns?: Netns | undefined;
}

/**
 * Where to attach with XDP: before the network stack, native unless another mode is asked for. An interface takes one
 * program, of type `xdp`. Through a link, which netkit uses: minimum kernel 5.9.
 */
export function xdp(options: Omit<XdpOptions, 'hook' | 'mode'> & { readonly mode?: XdpMode }): XdpOptions {
  return { hook: 'xdp', mode: 'native', ...options };
}

const modeFlags = {
  native: uapi.XDP_FLAGS_DRV_MODE,
  generic: uapi.XDP_FLAGS_SKB_MODE,
  offload: uapi.XDP_FLAGS_HW_MODE,
} as const;

/** @internal */
export function attachXdp(program: Program, { ifname, mode, netns }: XdpOptions): Link {
  refuseMapPrograms(program);
  const target = findInterface(ifname, netns);
  return withNetns(netns, () => attachHere(program, target, mode));
}

/** The kernel would only say that an argument is invalid. */
function refuseMapPrograms({ attachType }: Program): void {
  if (attachType !== 'xdp_devmap' && attachType !== 'xdp_cpumap') return;
  const map = attachType.slice('xdp_'.length);
  throw new NetkitError('usage', `a program for entries of a ${map} runs on no interface by itself`, {
    hint: `put it into an entry of a ${map}: it then sees the packets that are redirected there`,
  });
}

function attachHere(program: Program, target: Interface, mode: XdpMode): Link {
  try {
    return new Link(
      createLink(
        {
          prog_fd: program.fd.value,
          target_ifindex: target.ifindex,
          attach_type: attachTypes.indexOf('xdp'),
          flags: modeFlags[mode],
        },
        `attach to XDP (${mode}) of ${target.ifname}`,
      ),
    );
  } catch (error) {
    if (isErrno(error, 'EBUSY', 'EEXIST')) throw xdpTaken(target, error);
    if (isErrno(error, 'EOPNOTSUPP')) {
      throw new NetkitError('unsupported', `the driver of ${target.ifname} has no ${mode} XDP`, {
        hint: mode === 'native' ? "use '--mode generic', or '--mode auto' to try both" : undefined,
        cause: error,
      });
    }
    // What drivers say to an MTU or a number of queues that their XDP cannot deal with.
    if (isErrno(error, 'ERANGE', 'ENOSPC')) {
      throw new NetkitError(
        'unsupported',
        `the driver of ${target.ifname} refuses ${mode} XDP as the interface is set up, its MTU or its queues (${error.errnoName})`,
        {
          hint: mode === 'native' ? "use '--mode generic', or '--mode auto' to try both" : undefined,
          cause: error,
        },
      );
    }
    if (isErrno(error, 'EINVAL')) throw refusedByKernel(program, `XDP (${mode}) of ${target.ifname}`, error);
    throw permissionExplained(error);
  }
}

/** Says whose program it is, as far as this user may see. */
function xdpTaken(target: Interface, cause: SysError): NetkitError {
  const occupants = queryXdp(target.ifindex);
  const modes = (['native', 'generic', 'offload'] as const).filter((mode) => occupants[mode] !== 0);
  const whose = modes.map((mode) => `${nameOfProgram(occupants[mode])} (${mode})`).join(' and ');
  return new NetkitError(
    'conflict',
    `${target.ifname} has an XDP program already: ${whose || 'it appeared just now'}`,
    {
      hint: 'an interface takes one XDP program: whoever attached that one has to detach it first',
      details: { ifname: target.ifname, ifindex: target.ifindex, ...occupants },
      cause,
    },
  );
}

function nameOfProgram(id: number): string {
  try {
    using other = openId('program', id);
    return `'${readProgramInfo(other).name}', id ${id}`;
  } catch {
    // Without CAP_SYS_ADMIN, or when it has gone meanwhile, the id must do.
    return `id ${id}`;
  }
}

function refusedByKernel(program: Program, where: string, cause: SysError): NetkitError {
  const { name, type } = program.info();
  return new NetkitError(
    'unsupported',
    `the kernel refuses to attach program '${name}' (${type}) to ${where}`,
    { cause },
  );
}

function permissionExplained(error: unknown): unknown {
  if (!isErrno(error, 'EPERM', 'EACCES')) return error;
  return new NetkitError('not-permitted', error.message, {
    hint: 'attaching to an interface needs CAP_NET_ADMIN and CAP_BPF: run as root',
    cause: error,
  });
}
