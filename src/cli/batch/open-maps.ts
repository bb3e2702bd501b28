import { NetkitError } from '../../base/errors.js';
import { idOf, openMap } from '../../cnf/reference.js';
import type { BpfMap } from '../../ebpf/map.js';
import type { EntryShape } from '../../obj/entries/batch.js';
import { requireOperation } from '../../obj/map-operations.js';
import type { CommandContext } from '../context.js';
import { openReference } from '../open-reference.js';
import { mapNameOf, openTypedMap, type TypeOptions } from '../typed-map.js';

/** Far below what a process may have open. */
const mostOpen = 64;

/** Maps whose entries are bytes and nothing else, so that writing many at once is the same as writing each. */
const plainTypes: ReadonlySet<string> = new Set([
  'hash',
  'lru_hash',
  'percpu_hash',
  'lru_percpu_hash',
  'array',
  'percpu_array',
  'lpm_trie',
]);

/** A map that a batch writes to. */
export interface OpenMap {
  readonly map: BpfMap;
  readonly reference: string;
  readonly shape: EntryShape;
  readonly name: { readonly id: number; readonly name: string };
}

interface Kept extends OpenMap {
  readonly operations: Set<'update' | 'delete'>;
  /** Whether the reference surely means this map still. */
  sure: boolean;
}

/** Maps by reference, each opened once. Others may pin another map under the same path: `doubt` has that looked up. */
export class OpenMaps implements Disposable {
  readonly #context: CommandContext;
  readonly #beforeClosing: () => void;
  readonly #kept = new Map<string, Kept>();

  /** @param beforeClosing writes what still waits for a map: too many are open, and they are about to be closed */
  constructor(context: CommandContext, beforeClosing: () => void) {
    this.#context = context;
    this.#beforeClosing = beforeClosing;
  }

  /** A map that is open, with its own types; undefined when `open` is to be asked. */
  get(reference: string, operation: 'update' | 'delete'): OpenMap | undefined {
    const kept = this.#kept.get(reference);
    return kept?.sure === true && kept.operations.has(operation) ? kept : undefined;
  }

  /**
   * Opens a map for an operation, or finds it open. Undefined when its entries are more than bytes: references, for one.
   * @throws NetkitError `not-found`, `unsupported` and what else opening a map throws
   */
  async open(
    reference: string,
    operation: 'update' | 'delete',
    types: TypeOptions | undefined,
  ): Promise<OpenMap | undefined> {
    const name = types === undefined ? reference : `${reference} ${JSON.stringify(types)}`;
    const kept = await this.#confirmed(name, reference);
    const chosen = kept ?? (await this.#opened(name, reference, types ?? {}));
    if (chosen === undefined) return undefined;
    if (!chosen.operations.has(operation)) {
      requireOperation({ name: chosen.name.name, type: chosen.map.info.type }, operation);
      chosen.operations.add(operation);
    }
    return chosen;
  }

  /** From here on a reference may mean another map, unless it is an id. */
  doubt(): void {
    for (const kept of this.#kept.values()) kept.sure = idOf(kept.reference) !== undefined;
  }

  /** Lets go of all maps, so that none lives on because of this. */
  forget(): void {
    for (const { map } of this.#kept.values()) map[Symbol.dispose]();
    this.#kept.clear();
  }

  async #confirmed(name: string, reference: string): Promise<Kept | undefined> {
    const kept = this.#kept.get(name);
    if (kept === undefined || kept.sure) return kept;
    using now = await openReference(this.#context, reference, openMap);
    kept.sure = now.info.id === kept.map.info.id;
    if (kept.sure) return kept;
    this.#kept.delete(name);
    kept.map[Symbol.dispose]();
    return undefined;
  }

  async #opened(name: string, reference: string, types: TypeOptions): Promise<Kept | undefined> {
    if (this.#kept.size >= mostOpen) {
      this.#beforeClosing();
      this.forget();
    }
    const map = await openTypedMap(this.#context, reference, types);
    if (!plainTypes.has(map.info.type)) {
      map[Symbol.dispose]();
      return undefined;
    }
    const kept: Kept = {
      map,
      reference,
      shape: map.shape,
      name: mapNameOf(map, reference),
      operations: new Set(),
      sure: true,
    };
    this.#kept.set(name, kept);
    return kept;
  }

  [Symbol.dispose](): void {
    this.forget();
  }
}

/** @throws NetkitError `unsupported` for a map in which nothing can be taken back */
export function refuseIrreversible(map: BpfMap, reference: string): void {
  const { type } = map.info;
  if (!plainTypes.has(type)) {
    throw new NetkitError(
      'unsupported',
      `--atomic cannot take back what is written to ${reference}, a ${type} map`,
    );
  }
  if (type.startsWith('lru_')) {
    throw new NetkitError(
      'unsupported',
      `--atomic cannot take back what is written to ${reference}: an ${type} map throws out other entries by itself`,
    );
  }
}
