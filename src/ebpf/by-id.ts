/** Objects by their ids: the one way to those that are not pinned. All of it needs CAP_SYS_ADMIN. */
import { NetkitError } from '../base/errors.js';
import { capabilityHint } from '../host/capabilities.js';
import { type ObjectKind, objectIds, openById } from '../sys/bpf.js';
import { isErrno } from '../sys/errno.js';
import type { Fd } from '../sys/fd.js';

/** @throws NetkitError `not-found`, `not-permitted` */
export function openId(kind: ObjectKind, id: number): Fd {
  try {
    return openById(kind, id);
  } catch (error) {
    if (isErrno(error, 'ENOENT'))
      throw new NetkitError('not-found', `there is no ${kind} with id ${id}`, { cause: error });
    throw explained(error, `opening a ${kind} by its id`);
  }
}

/** The ids of all objects of a kind, ascending. @throws NetkitError `not-permitted` */
export function* listIds(kind: ObjectKind): Generator<number> {
  try {
    yield* objectIds(kind);
  } catch (error) {
    throw explained(error, `listing the kernel's ${kind}s`);
  }
}

function explained(error: unknown, what: string): unknown {
  if (!isErrno(error, 'EPERM')) return error;
  return new NetkitError('not-permitted', `${what} is not allowed for this user`, {
    hint: capabilityHint('enumerate'),
    cause: error,
  });
}
