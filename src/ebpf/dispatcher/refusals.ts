/** Why a chain is not changed, in words that say whose it is. */
import { NetkitError } from '../../base/errors.js';
import { isErrno } from '../../sys/errno.js';
import type { Chain, ChainMode, LoneProgram } from './chain.js';
import type { ChainPlace } from './place.js';

/** The hook has a program that is no dispatcher. */
export function foreignProgram({ ifname }: ChainPlace, { name, programId, mode }: LoneProgram): NetkitError {
  return new NetkitError(
    'conflict',
    `${ifname} has an XDP program that is no chain: '${name}', id ${programId} (${mode})`,
    {
      hint: 'a chain begins on an empty hook: whoever attached that program has to detach it first',
      details: { ifname, program: { name, id: programId }, mode },
    },
  );
}

/** The dispatcher is of a version that netkit reads, at most. */
export function otherVersion({ ifname }: ChainPlace, chain: Chain): NetkitError {
  const { version, dispatcherId, deviceBound } = chain;
  const what = deviceBound ? 'bound to the device' : `of version ${version}`;
  const whose = deviceBound
    ? 'its programs were loaded for this device alone'
    : version === 1
      ? 'libxdp 1.2 or older made it'
      : 'a newer libxdp made it, or another tool';
  return new NetkitError(
    'conflict',
    `the chain of ${ifname} (dispatcher id ${dispatcherId}) is ${what}: ${whose}, and netkit does not change it`,
    {
      hint: 'whoever made it has to take it off first, with libxdp: xdp-loader unload --all',
      details: { ifname, dispatcherId, version, deviceBound },
    },
  );
}

/** The members cannot be got hold of. */
export function notPinnedHere({ ifname, bpffs }: ChainPlace, { dispatcherId, folder }: Chain): NetkitError {
  return new NetkitError(
    'conflict',
    `the chain of ${ifname} (dispatcher id ${dispatcherId}) is not pinned in ${bpffs}: another tool made it, or it is pinned in another bpf file system`,
    {
      hint: 'name the bpf file system with --bpffs, or have whoever made the chain take it off',
      details: { ifname, dispatcherId, folder },
    },
  );
}

export function wrongMode({ ifname }: ChainPlace, mode: ChainMode, asked: ChainMode): NetkitError {
  return new NetkitError('conflict', `the chain of ${ifname} is in ${mode} mode, not ${asked}`, {
    hint: 'a chain has one mode for all its members: leave --mode out to join it',
    details: { ifname, mode, asked },
  });
}

/** What the kernel or the driver said to a program that is to go on the hook. */
export function refusedByInterface({ ifname }: ChainPlace, mode: ChainMode, error: unknown): unknown {
  if (isErrno(error, 'EBUSY', 'EEXIST')) {
    return new NetkitError('conflict', `the XDP program of ${ifname} cannot be replaced: a link holds it`, {
      hint: 'the tool that made that link has to detach it first',
      cause: error,
    });
  }
  const hint = mode === 'native' ? "use '--mode generic', or '--mode auto' to try both" : undefined;
  if (isErrno(error, 'EOPNOTSUPP')) {
    return new NetkitError('unsupported', `the driver of ${ifname} has no ${mode} XDP`, {
      hint,
      cause: error,
    });
  }
  // What drivers say to an MTU or a number of queues that their XDP cannot deal with.
  if (isErrno(error, 'ERANGE', 'ENOSPC')) {
    return new NetkitError(
      'unsupported',
      `the driver of ${ifname} refuses ${mode} XDP as the interface is set up, its MTU or its queues (${error.errnoName})`,
      { hint, cause: error },
    );
  }
  if (isErrno(error, 'EPERM', 'EACCES')) {
    return new NetkitError('not-permitted', error.message, {
      hint: 'attaching to an interface needs CAP_NET_ADMIN and CAP_BPF: run as root',
      cause: error,
    });
  }
  if (isErrno(error, 'ENODEV')) return new NetkitError('not-found', `${ifname} is gone`, { cause: error });
  return error;
}
