import { textOfBytes } from '../../base/raw-bytes.js';
import type { Transaction } from '../../cnf/transaction.js';
import { type OpenMap, refuseIrreversible } from './open-maps.js';

export type RememberedMap = Pick<OpenMap, 'map' | 'reference' | 'shape'>;

/** Tells the transaction what entries were before they are written or deleted. */
export class EntryMemory {
  readonly #transaction: Transaction;
  readonly #bpffs: string;
  /** Of prefix maps all entries, by key: asking for one by its key would find a shorter prefix. */
  readonly #listed = new Map<number, ReadonlyMap<string, Uint8Array>>();

  /** @param bpffs where references to functions are looked up */
  constructor(transaction: Transaction, bpffs: string) {
    this.#transaction = transaction;
    this.#bpffs = bpffs;
  }

  /** @throws NetkitError `unsupported` for maps in which nothing can be taken back, `failed` when the disk is full */
  before(target: RememberedMap, keys: Uint8Array, count: number): void {
    const { map, reference, shape } = target;
    refuseIrreversible(map, reference);
    const { keySize, valueStride } = shape;
    const listed = this.#listing(target);
    const values = new Uint8Array(count * valueStride);
    // Where there is a spin lock it is taken: no half-written value is remembered.
    const lock = map.spinLock;
    let present = '';
    for (let index = 0; index < count; index++) {
      const key = keys.subarray(index * keySize, (index + 1) * keySize);
      const old = listed === undefined ? map.getBytes(key, { lock }) : listed.get(textOfBytes(key));
      present += old === undefined ? '0' : '1';
      if (old !== undefined) values.set(old, index * valueStride);
    }
    this.#transaction.remember({
      map: { id: map.info.id, reference, bpffs: this.#bpffs },
      keySize,
      valueSize: valueStride,
      present,
      keys: base64(keys.subarray(0, count * keySize)),
      values: base64(values),
    });
  }

  /** As the map was when the batch first wrote to it: taking back goes that far anyway. */
  #listing({ map, shape }: RememberedMap): ReadonlyMap<string, Uint8Array> | undefined {
    const { id, type } = map.info;
    if (type !== 'lpm_trie') return undefined;
    const known = this.#listed.get(id);
    if (known !== undefined) return known;
    const { keySize, valueStride } = shape;
    const entries = new Map<string, Uint8Array>();
    for (const { count, keys, values } of map.batches()) {
      for (let index = 0; index < count; index++) {
        const key = keys.subarray(index * keySize, (index + 1) * keySize);
        entries.set(
          textOfBytes(key),
          new Uint8Array(values.subarray(index * valueStride, (index + 1) * valueStride)),
        );
      }
    }
    this.#listed.set(id, entries);
    return entries;
  }
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64');
}
