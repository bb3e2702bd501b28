import { type ErrorCode, NetkitError } from '../base/errors.js';
import { arrayTypes } from '../obj/map-codecs.js';
import { isErrno } from '../sys/errno.js';
import type { MapInfo } from './map-info.js';

/** What a refused write or delete of one entry means, in words; other errors as they are. */
export function explainEntry(
  error: unknown,
  verb: 'write' | 'delete',
  entry: string,
  info: MapInfo,
): unknown {
  const { name, type, maxEntries } = info;
  const say = (code: ErrorCode, message: string): NetkitError =>
    new NetkitError(code, message, { cause: error, details: { map: name, key: entry } });
  if (isErrno(error, 'EEXIST')) return say('conflict', `${name} has an entry ${entry} already`);
  if (isErrno(error, 'ENOENT')) return say('not-found', `${name} has no entry ${entry}`);
  if (isErrno(error, 'E2BIG') && arrayTypes.has(type)) {
    return say('bad-value', `${name} has no entry ${entry}: its indices go from 0 to ${maxEntries - 1}`);
  }
  if (isErrno(error, 'E2BIG', 'ENOSPC'))
    return say('conflict', `${name} is full: it holds ${maxEntries} entries`);
  if (isErrno(error, 'EPERM'))
    return say('not-permitted', `cannot ${verb} ${name}: it is frozen or read-only`);
  if (isErrno(error, 'ENOTSUPP', 'EOPNOTSUPP', 'EINVAL')) {
    return say('unsupported', `cannot ${verb} entry ${entry} of ${name}: maps of type ${type} refuse it`);
  }
  return error;
}

const descriptorKeyed: ReadonlySet<string> = new Set([
  'sk_storage',
  'inode_storage',
  'task_storage',
  'cgrp_storage',
]);

/** Keys of local storage are descriptors of the calling process: a number would name one of netkit's own. @throws NetkitError `unsupported` */
export function refuseDescriptorKeys(type: string): void {
  if (!descriptorKeyed.has(type)) return;
  throw new NetkitError(
    'unsupported',
    `entries of ${type} maps belong to open files of a process: netkit cannot name them`,
  );
}
