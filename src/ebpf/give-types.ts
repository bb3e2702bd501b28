/** Types for the kernel to keep with a map. */
import { NetkitError } from '../base/errors.js';
import { atLeast, type KernelVersion, kernelRelease, kernelVersion } from '../host/kernel.js';
import { lateKinds } from '../obj/btf/late-kinds.js';
import { isErrno } from '../sys/errno.js';
import type { Fd } from '../sys/fd.js';
import { loadBtf } from '../sys/map-calls.js';

/**
 * Gives the kernel BTF, which lives as long as the descriptor or a map made with it.
 * @throws NetkitError `unsupported` for a kind of type that this kernel does not know, `bad-value`, `not-permitted`
 */
export function giveTypes(blob: Uint8Array): Fd {
  try {
    return loadBtf(blob);
  } catch (error) {
    throw explainTypes(error, blob);
  }
}

/** What a refusal of BTF means. @internal */
export function explainTypes(
  error: unknown,
  blob: Uint8Array,
  version: KernelVersion = kernelVersion(),
): unknown {
  if (isErrno(error, 'EPERM'))
    return new NetkitError('not-permitted', 'giving the kernel types is not allowed for this user', {
      cause: error,
    });
  if (!isErrno(error, 'EINVAL')) return error;
  const unknown = lateKinds(blob).find(({ since: [major, minor] }) => !atLeast(major, minor, version));
  if (unknown === undefined)
    return new NetkitError('bad-value', 'the kernel refuses the types of keys and values', { cause: error });
  const since = `it came with Linux ${unknown.since.join('.')}, this is ${kernelRelease()}`;
  return new NetkitError(
    'unsupported',
    `among the types of keys and values is a ${unknown.what}, which this kernel does not know: ${since}`,
    { cause: error, details: { kind: unknown.what } },
  );
}
