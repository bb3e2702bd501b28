/** Reading objects of the kernel for lists, in which nothing that is out of place or just gone may keep the rest away. */
import { NetkitError } from '../base/errors.js';

/** Opens, reads, closes. */
export function withObject<T extends Disposable, R>(object: T, read: (object: T) => R): R {
  using owned = object;
  return read(owned);
}

/** The objects that are there, by their ids. */
export function byId<T extends { readonly info: { readonly id: number } | undefined }>(
  listed: readonly T[],
): Map<number, T> {
  return new Map(listed.flatMap((each) => (each.info === undefined ? [] : [[each.info.id, each] as const])));
}

/** Undefined also for what is no pin of that kind: one thing out of place must not keep the rest from being listed. */
export function ofPin<R>(pin: string | undefined, read: (path: string) => R): R | undefined {
  if (pin === undefined) return undefined;
  try {
    return read(pin);
  } catch (error) {
    if (error instanceof NetkitError && (error.code === 'not-found' || error.code === 'usage'))
      return undefined;
    throw error;
  }
}

/** Between listing the ids and opening them, one may go: reading takes no lock. */
export function unlessGone<T>(read: () => T): T[] {
  try {
    return [read()];
  } catch (error) {
    if (error instanceof NetkitError && error.code === 'not-found') return [];
    throw error;
  }
}
