/**
 * Entries that refer to maps and programs. Reading gives ids, writing takes descriptors: what netkit writes are ids too,
 * which are opened for as long as the call takes, so that what was read can be written back.
 */
import { hostIsLittleEndian } from '../base/byte-order.js';
import type { Fd } from '../sys/fd.js';
import { openId } from './by-id.js';
import type { MapInfo } from './map-info.js';

/** Where in a value an id stands, and of what. */
interface ReferenceField {
  readonly kind: 'map' | 'program';
  readonly offset: number;
  /** Whether 0 means that there is none. */
  readonly optional: boolean;
}

/** The reference in each value of such a map, if there is one. */
export function referenceField({ type, valueSize }: MapInfo): ReferenceField | undefined {
  switch (type) {
    case 'array_of_maps':
    case 'hash_of_maps':
      return { kind: 'map', offset: 0, optional: false };
    case 'prog_array':
      return { kind: 'program', offset: 0, optional: false };
    // struct bpf_devmap_val and struct bpf_cpumap_val: an index or length, and a program.
    case 'devmap':
    case 'devmap_hash':
    case 'cpumap':
      return valueSize >= 8 ? { kind: 'program', offset: 4, optional: true } : undefined;
    default:
      return undefined;
  }
}

/** Descriptors of what the values of one call refer to; disposing closes them. */
export class OpenedReferences implements Disposable {
  readonly #field: ReferenceField;
  readonly #opened = new Map<number, Fd>();

  constructor(field: ReferenceField) {
    this.#field = field;
  }

  /**
   * A copy of values, `stride` bytes apart, with descriptors in place of ids; needs CAP_SYS_ADMIN.
   * @throws NetkitError `not-found`, `not-permitted`
   */
  descriptors(values: Uint8Array, stride: number): Uint8Array {
    const { kind, offset, optional } = this.#field;
    const copy = values.slice();
    const view = new DataView(copy.buffer);
    for (let at = offset; at < copy.length; at += stride) {
      const id = view.getUint32(at, hostIsLittleEndian);
      if (id === 0 && optional) continue;
      let fd = this.#opened.get(id);
      if (fd === undefined) {
        fd = openId(kind, id);
        this.#opened.set(id, fd);
      }
      view.setUint32(at, fd.value, hostIsLittleEndian);
    }
    return copy;
  }

  [Symbol.dispose](): void {
    for (const fd of this.#opened.values()) fd[Symbol.dispose]();
    this.#opened.clear();
  }
}
