/** The entries of one map as bytes: every call that touches one goes through here, and says in words what was refused. */
import { readFileSync } from 'node:fs';
import { errnoNumber, isErrno } from '../sys/errno.js';
import type { Fd } from '../sys/fd.js';
import type { BatchWork } from '../sys/map-batch.js';
import { MapCalls, type TakeWay } from '../sys/map-calls.js';
import { explainEntry, explainList, explainRead, isPassing, type MapRights } from './map-failure.js';
import type { MapInfo } from './map-info.js';
import { type EntryLayout, layoutOf } from './map-kinds.js';

const ENOENT = errnoNumber('ENOENT');
const EPERM = errnoNumber('EPERM');
/** What some maps say of a key that is absent: a struct_ops map when it is unregistered already. */
const absent: Readonly<Record<string, number | undefined>> = {
  sockmap: errnoNumber('EINVAL'),
  struct_ops: errnoNumber('EINPROGRESS'),
};
/** How often a write that the kernel had no memory for, or no lock, is tried again, a millisecond apart. */
const mostTries = 50;

/** @internal */
export class EntryAccess {
  readonly fd: Fd;
  readonly info: MapInfo;
  readonly layout: EntryLayout;
  /** Batch calls that this kernel does not have for this map: single ones take their place. */
  readonly withoutBatch: Set<BatchWork['command']>;
  /** How messages call the map; by its name in the kernel when undefined. */
  called: string | undefined;
  readonly #calls: MapCalls;
  readonly #formatKey: (key: Uint8Array) => string;

  constructor(
    fd: Fd,
    info: MapInfo,
    formatKey: (key: Uint8Array) => string,
    withoutBatch = new Set<BatchWork['command']>(),
  ) {
    this.fd = fd;
    this.info = info;
    this.layout = layoutOf(info);
    this.#calls = new MapCalls(fd);
    this.#formatKey = formatKey;
    this.withoutBatch = withoutBatch;
  }

  /** The same map by another descriptor, for work that may outlast this one. */
  through(fd: Fd): EntryAccess {
    const same = new EntryAccess(fd, this.info, this.#formatKey, this.withoutBatch);
    same.called = this.called;
    return same;
  }

  /** A buffer for one entry's value. */
  newValue(): Uint8Array {
    return new Uint8Array(this.layout.valueStride);
  }

  /** @returns false when the key is absent */
  read(key: Uint8Array | undefined, into: Uint8Array, flags: number): boolean {
    const errno = this.#calls.lookup(key, into, flags);
    if (errno === 0) return true;
    if (errno === ENOENT) return false;
    throw this.explainRead(this.#calls.failure(errno));
  }

  /** Of a queue or stack. @returns false when it is empty */
  take(way: TakeWay, into: Uint8Array): boolean {
    const errno = this.#calls.take(way, into);
    if (errno === 0) return true;
    if (errno === ENOENT) return false;
    const failure = this.#calls.failure(errno);
    throw way === 'pop'
      ? explainEntry(failure, 'write', '', this.info, this.#rightsAfter(errno))
      : this.explainRead(failure);
  }

  write(key: Uint8Array | undefined, value: Uint8Array, flags: number): void {
    let errno = this.#calls.update(key, value, flags);
    for (let tries = 1; isPassing(errno) && tries < mostTries; tries++) {
      waitAMillisecond();
      errno = this.#calls.update(key, value, flags);
    }
    if (errno === 0) return;
    throw this.refusal('write', key, errno);
  }

  /** @returns false when the key was absent */
  delete(key: Uint8Array): boolean {
    const errno = this.#calls.delete(key);
    if (errno === 0) return true;
    if (errno === ENOENT || errno === absent[this.info.type]) return false;
    throw this.refusal('delete', key, errno);
  }

  /** @returns false after the last key */
  nextKey(key: Uint8Array | undefined, next: Uint8Array): boolean {
    const errno = this.#calls.nextKey(key, next);
    if (errno === 0) return true;
    if (errno === ENOENT) return false;
    throw explainList(this.#calls.failure(errno), this.info, this.#rightsAfter(errno));
  }

  /** What a refused read means, in words. */
  explainRead(error: unknown): unknown {
    return explainRead(error, this.info, isErrno(error, 'EPERM') ? this.rights() : { called: this.called });
  }

  rights(): MapRights {
    const text = this.fdInfo();
    const frozen = /^frozen:\s*(\d+)/m.exec(text)?.[1];
    // In octal; the last digit is O_RDONLY, O_WRONLY or O_RDWR.
    const mode = Number(/^flags:\s*\d*(\d)$/m.exec(text)?.[1] ?? 2) & 3;
    return {
      called: this.called,
      frozen: frozen === undefined ? undefined : frozen !== '0',
      access: mode === 0 ? 'read-only' : mode === 1 ? 'write-only' : undefined,
    };
  }

  /** Asked for where they are the reason. */
  #rightsAfter(errno: number): MapRights {
    return errno === EPERM ? this.rights() : { called: this.called };
  }

  fdInfo(): string {
    return readFileSync(`/proc/self/fdinfo/${this.fd.value}`, 'utf8');
  }

  /** What the kernel's refusal of one entry means, in words. */
  refusal(verb: 'write' | 'delete', key: Uint8Array | undefined, errno: number): unknown {
    const entry = key === undefined ? '' : this.#formatKey(key);
    return explainEntry(this.#calls.failure(errno), verb, entry, this.info, this.#rightsAfter(errno));
  }
}

const clock = new Int32Array(new SharedArrayBuffer(4));

function waitAMillisecond(): void {
  Atomics.wait(clock, 0, 0, 1);
}
