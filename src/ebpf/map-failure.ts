/** What the kernel's refusals mean, in words: of entries read, written, deleted and listed. */
import { type ErrorCode, NetkitError } from '../base/errors.js';
import { indexTypes } from '../obj/map-codecs.js';
import { errnoName, isErrno } from '../sys/errno.js';
import type { MapInfo } from './map-info.js';

/** What may be done with a map through a descriptor, as far as /proc tells, and how messages call it. */
export interface MapRights {
  /** Its name in the kernel when left out. */
  readonly called?: string | undefined;
  readonly frozen?: boolean | undefined;
  readonly access?: 'read-only' | 'write-only' | undefined;
}

/** How messages call a map: not all have a name. */
export function nameOf({ name, id }: MapInfo, called?: string): string {
  if (called !== undefined) return called;
  return name === '' ? `the map ${id}` : name;
}

/** What a refused write or delete of one entry means, in words; other errors as they are. */
export function explainEntry(
  error: unknown,
  verb: 'write' | 'delete',
  entry: string,
  info: MapInfo,
  rights: MapRights = {},
): unknown {
  const { type, maxEntries } = info;
  const name = nameOf(info, rights.called);
  const say = (code: ErrorCode, message: string): NetkitError =>
    new NetkitError(code, message, { cause: error, details: { map: info.name, key: entry } });
  if (isErrno(error, 'EEXIST')) return say('conflict', `${name} has an entry ${entry} already`);
  if (isErrno(error, 'ENOENT')) return say('not-found', `${name} has no entry ${entry}`);
  const beyond = isErrno(error, 'E2BIG') || Number(entry) >= maxEntries;
  if (indexTypes.has(type) && isErrno(error, 'E2BIG', 'EINVAL') && beyond) {
    return say('bad-value', `${name} has no entry ${entry}: its indices go from 0 to ${maxEntries - 1}`);
  }
  if (isErrno(error, 'E2BIG', 'ENOSPC'))
    return say('conflict', `${name} is full: it holds ${maxEntries} entries`);
  if (isErrno(error, 'EPERM')) return say('not-permitted', notWritable(verb, name, rights));
  if (type === 'struct_ops' && isErrno(error, 'EOPNOTSUPP'))
    return say(
      'unsupported',
      `cannot ${verb} entry ${entry} of ${name}: it is registered by a link, which has to be detached`,
    );
  const misfit = verb === 'write' ? misfitOf(error, entry, info, name) : undefined;
  if (misfit !== undefined) return say('bad-value', misfit);
  if (isErrno(error, 'ENOTSUPP', 'EOPNOTSUPP', 'EINVAL')) {
    return say('unsupported', `cannot ${verb} entry ${entry} of ${name}: maps of type ${type} refuse it`);
  }
  return error;
}

function notWritable(verb: string, name: string, { frozen, access }: MapRights): string {
  if (frozen === true) return `cannot ${verb} ${name}: it is frozen`;
  if (access === 'read-only')
    return `cannot ${verb} ${name}: it was opened, or made, read-only for user space (rdonly)`;
  return `cannot ${verb} ${name}: it is frozen or read-only`;
}

/** What was given cannot be in such a map. */
function misfitOf(error: unknown, entry: string, { type }: MapInfo, name: string): string | undefined {
  const cannot = `cannot write entry ${entry} of ${name}`;
  if (isErrno(error, 'EBADF')) return `${cannot}: a descriptor in it is not open, or of something else`;
  switch (type) {
    case 'devmap':
    case 'devmap_hash':
      return isErrno(error, 'EINVAL')
        ? `${cannot}: there is no such interface in this network namespace, or its program is of another kind`
        : undefined;
    case 'cpumap':
      if (isErrno(error, 'ENODEV')) return `${cannot}: this machine has no such CPU`;
      return isErrno(error, 'EOVERFLOW')
        ? `${cannot}: its queue is too long: 16384 packets at most`
        : undefined;
    case 'sockmap':
    case 'sockhash':
    case 'reuseport_sockarray':
    case 'xskmap':
      if (isErrno(error, 'ENOTSOCK')) return `${cannot}: the descriptor is no socket`;
      if (isErrno(error, 'ENOBUFS')) return `${cannot}: the socket has no ring to receive by`;
      return isErrno(error, 'EOPNOTSUPP', 'EINVAL')
        ? `${cannot}: a socket of that kind, or in that state, cannot be in it`
        : undefined;
    case 'prog_array':
      return isErrno(error, 'EINVAL')
        ? `${cannot}: the program is of another type than those in it`
        : undefined;
    case 'array_of_maps':
    case 'hash_of_maps':
      return isErrno(error, 'EINVAL')
        ? `${cannot}: the map is of another shape than those in it, or a map of maps itself`
        : undefined;
    case 'lpm_trie':
      return isErrno(error, 'EINVAL')
        ? `${cannot}: its prefix is longer than the addresses of the map`
        : undefined;
    default:
      return undefined;
  }
}

/** What a refused read means, in words; other errors as they are. */
export function explainRead(error: unknown, info: MapInfo, { access, called }: MapRights = {}): unknown {
  const { type, valueSize } = info;
  const name = nameOf(info, called);
  const say = (code: ErrorCode, message: string): NetkitError =>
    new NetkitError(code, message, { cause: error, details: { map: info.name } });
  if (isErrno(error, 'EPERM')) {
    const why = access === 'write-only' ? ': it was opened, or made, write-only (wronly)' : '';
    return say('not-permitted', `${name} may not be read from user space${why}`);
  }
  // Of sockets the kernel gives cookies only, which do not fit in the values of most such maps.
  if (isErrno(error, 'ENOSPC')) {
    const why = `of sockets the kernel tells the cookies only, which need values of 8 bytes: here they have ${valueSize}`;
    return say('unsupported', `the entries of ${name} cannot be read: ${why}`);
  }
  if (isErrno(error, 'ENOTSUPP', 'EOPNOTSUPP', 'EINVAL'))
    return say('unsupported', `entries of a ${type} map cannot be read: the kernel refuses it`);
  return error;
}

/** What a refused listing of keys means, in words; other errors as they are. */
export function explainList(error: unknown, info: MapInfo, rights: MapRights = {}): unknown {
  if (isErrno(error, 'EINVAL', 'ENOTSUPP', 'EOPNOTSUPP')) {
    return new NetkitError(
      'unsupported',
      `the keys of a ${info.type} map cannot be listed: the kernel refuses it`,
      {
        cause: error,
        details: { map: info.name },
      },
    );
  }
  return explainRead(error, info, rights);
}

/** A listing that the kernel threw back again and again. */
export function neverEnds(info: MapInfo, restarts: number): NetkitError {
  const why = `its listing started over ${restarts} times`;
  return new NetkitError('conflict', `${nameOf(info)} changes too fast to be listed: ${why}`, {
    details: { map: info.name },
  });
}

/**
 * A batch that was not written as a whole: why, with the code of the reason. Entries are written in order, so `written`
 * is also the index of the one that was refused.
 */
export class PartialWrite extends NetkitError {
  override readonly name = 'PartialWrite';
  /** How many entries of the batch were applied: all before the one that was refused. */
  readonly written: number;
  /** The index, within the batch, of the entry that was refused. */
  readonly index: number;

  /** @internal */
  constructor(reason: NetkitError, index: number) {
    super(reason.code, reason.message, {
      hint: reason.hint,
      details: { ...reason.details, written: index },
      cause: reason,
    });
    this.written = index;
    this.index = index;
  }
}

/** Whether the same call may well succeed a moment later. */
export function isPassing(errno: number): boolean {
  return ['ENOMEM', 'EBUSY', 'EAGAIN', 'EINTR'].includes(errnoName(errno));
}
