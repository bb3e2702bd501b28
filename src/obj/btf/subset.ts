/** Some types out of a graph, or made for the purpose, as a blob of BTF that stands by itself. */
import type { BtfGraph, BtfType } from './types.js';
import { BtfWriter } from './write.js';

/** A type in a graph. */
export interface BtfReference {
  readonly btf: BtfGraph;
  readonly id: number;
}

/** Graphs with more types (the kernel's own) are not searched for tags of declarations. */
const tagLimit = 50_000;

/**
 * Copies types with all that their values consist of. What is behind a pointer is no part of the value: a struct or
 * union there stays as its name alone, unless it is copied anyway or the pointer has a type tag, by which the kernel
 * looks for that struct: that one is copied without its members. Tags of declarations go with what they are for.
 */
export class BtfSubset {
  readonly #writer = new BtfWriter();
  readonly #graphs = new Map<BtfGraph, GraphCopy>();

  /** Adds a type. @returns its id in the blob, 0 for void */
  add({ btf, id }: BtfReference): number {
    let copy = this.#graphs.get(btf);
    if (copy === undefined) {
      copy = new GraphCopy(btf, this.#writer);
      this.#graphs.set(btf, copy);
    }
    return copy.add(id);
  }

  /** Adds a type that refers to types which are in the blob already. @returns its id */
  addMade(type: BtfType): number {
    return this.#writer.add(type, (id) => id);
  }

  bytes(): Uint8Array {
    return this.#writer.bytes();
  }
}

/**
 * How much of a type is copied: all of it, or what a pointer to it needs, plainly or behind a type tag. One type may be
 * needed in several ways.
 */
type Extent = 'whole' | 'pointee' | 'tagged';

class GraphCopy {
  readonly #btf: BtfGraph;
  readonly #writer: BtfWriter;
  /** Ids in the blob, by extent and old id. */
  readonly #ids = new Map<string, number>();
  /** What is copied, in the order of the new ids. */
  #queue: { readonly id: number; readonly extent: Extent }[] = [];
  #written = 0;
  /** Types that are copied as a whole, whoever asks. */
  readonly #whole = new Set<number>();

  constructor(btf: BtfGraph, writer: BtfWriter) {
    this.#btf = btf;
    this.#writer = writer;
  }

  add(root: number): number {
    const found = this.#findWhole(root);
    const id = this.#idOf(root, 'whole');
    for (; this.#written < this.#queue.length; this.#written++) {
      const next = this.#queue[this.#written];
      if (next !== undefined) this.#copy(this.#btf.type(next.id), next.extent);
    }
    this.#queue = [];
    this.#written = 0;
    this.#addTags(found);
    return id;
  }

  /** What values of the type consist of; pointers end the search. @returns what was not found before */
  #findWhole(root: number): Set<number> {
    const found = new Set<number>();
    const open = [root];
    for (let id = open.pop(); id !== undefined; id = open.pop()) {
      if (id === 0 || this.#whole.has(id)) continue;
      this.#whole.add(id);
      found.add(id);
      open.push(...partsOf(this.#btf.type(id)));
    }
    return found;
  }

  /** The id that a type has, or is going to have. */
  #idOf(id: number, extent: Extent): number {
    if (id === 0) return 0;
    const key = `${extent} ${id}`;
    let known = this.#ids.get(key);
    if (known === undefined) {
      known = this.#writer.nextId + this.#queue.length - this.#written;
      this.#ids.set(key, known);
      this.#queue.push({ id, extent });
    }
    return known;
  }

  /** The id of what a pointer leads to, over typedefs and the like. */
  #behindPointer(id: number, extent: Extent): number {
    if (this.#whole.has(id)) return this.#idOf(id, 'whole');
    const { kind, name } = this.#btf.type(id);
    const isNameless = (kind === 'struct' || kind === 'union') && name === '';
    // Nothing of an array or a function is needed to show a pointer to it.
    return isNameless || kind === 'array' || kind === 'func_proto' ? 0 : this.#idOf(id, extent);
  }

  #copy(type: BtfType, extent: Extent): void {
    if (type.kind === 'ptr') {
      this.#writer.add(type, (id) => this.#behindPointer(id, 'pointee'));
    } else if (extent === 'whole') {
      this.#writer.add(type, (id) => this.#idOf(id, 'whole'));
    } else if (type.kind !== 'struct' && type.kind !== 'union') {
      const inner = type.kind === 'type_tag' ? 'tagged' : extent;
      this.#writer.add(type, (id) => this.#behindPointer(id, inner));
    } else if (extent === 'tagged') {
      this.#writer.add({ ...type, members: [] }, (id) => id);
    } else {
      this.#writer.add({ kind: 'fwd', id: 0, name: type.name, of: type.kind }, (id) => id);
    }
  }

  #addTags(found: ReadonlySet<number>): void {
    if (this.#btf.count > tagLimit) return;
    for (let id = 1; id < this.#btf.count; id++) {
      const type = this.#btf.type(id);
      if (type.kind !== 'decl_tag' || !found.has(type.target)) continue;
      this.#writer.add(type, (target) => this.#idOf(target, 'whole'));
    }
  }
}

/** The types that a type refers to and its values consist of. */
function partsOf(type: BtfType): readonly number[] {
  switch (type.kind) {
    case 'array':
      return [type.element, type.index];
    case 'struct':
    case 'union':
      return type.members.map((member) => member.type);
    case 'typedef':
    case 'const':
    case 'volatile':
    case 'restrict':
    case 'type_tag':
      return [type.target];
    case 'datasec':
      return type.variables.map((variable) => variable.type);
    case 'var':
      return [type.type];
    case 'func':
      return [type.prototype];
    case 'func_proto':
      return [type.returns, ...type.parameters.map((parameter) => parameter.type)];
    default:
      return [];
  }
}
