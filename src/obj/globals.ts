import { NetkitError } from '../base/errors.js';
import { suggestion } from '../base/suggest.js';
import type { BtfGraph } from './btf/types.js';
import type { Codec, Value } from './codec/index.js';
import { codecFor } from './codec/index.js';
import type { ElfFile, ElfSection } from './elf.js';
import { sectionTypes } from './elf.js';
import { dataSections } from './maps.js';
import type { GlobalName, GlobalSignature, UntypedObject } from './object-types.js';
import type { PlacedVariable } from './variables.js';
import { placedVariables } from './variables.js';

/** A global variable of an object. */
export interface GlobalSpec {
  readonly name: string;
  /** `.rodata`, `.data`, `.bss`, or one of their like (`.rodata.config`). */
  readonly section: string;
  /** Bytes from the start of the section. */
  readonly offset: number;
  /** Bytes. */
  readonly size: number;
  /** BTF id of the type. */
  readonly type: number;
  /** The C spelling of the type, without `volatile` and `const`. */
  readonly typeName: string;
  /** Fixed once the object is loaded. */
  readonly constant: boolean;
}

/**
 * The global variables of an object, and what they will be when it is loaded. Changes stay in here: the object's bytes
 * are never written.
 */
export class Globals<G extends Readonly<Record<string, GlobalSignature>> = UntypedObject['globals']>
  implements Iterable<GlobalSpec>
{
  readonly #btf: BtfGraph | undefined;
  readonly #sections = new Map<string, ElfSection>();
  readonly #variables = new Map<string, GlobalSpec>();
  readonly #changed = new Map<string, Uint8Array>();

  /** @internal @throws NetkitError `bad-object` when a variable does not fit its section */
  constructor(elf: ElfFile, btf: BtfGraph | undefined) {
    this.#btf = btf;
    if (btf === undefined) return;
    for (const section of dataSections(elf)) {
      this.#sections.set(section.name, section);
      for (const variable of placedVariables(elf, btf, section)) this.#add(btf, section.name, variable);
    }
  }

  /** In the order of the file. */
  [Symbol.iterator](): IterableIterator<GlobalSpec> {
    return this.#variables.values();
  }

  /** Every global variable, in the order of the file. */
  list(): GlobalSpec[] {
    return [...this.#variables.values()];
  }

  /** Whether there is a variable of that name. */
  has(name: string): boolean {
    return this.#variables.has(name);
  }

  /** What is known of a variable. @throws NetkitError `not-found`, with the name that was probably meant */
  spec(name: GlobalName<G>): GlobalSpec {
    const found = this.#variables.get(name);
    if (found) return found;
    const hint =
      this.#btf === undefined
        ? 'the object has no BTF, which names them'
        : suggestion(name, this.#variables.keys());
    throw new NetkitError('not-found', `there is no global variable '${name}'`, {
      hint,
      details: { variable: name },
    });
  }

  /**
   * How the variable reads and writes: its form for people, text and bytes.
   * @throws NetkitError `not-found`; `bad-value` for a type without values
   */
  codec(name: GlobalName<G>): Codec {
    const { type } = this.spec(name);
    if (this.#btf === undefined) throw new Error('globals come from BTF');
    return codecFor(this.#btf, type, { name });
  }

  /** The value it will have at load time. @throws NetkitError `not-found`; `bad-value` for a type without values */
  get<Name extends GlobalName<G>>(name: Name): G[Name]['value'];
  get(name: GlobalName<G>): unknown {
    const variable = this.spec(name);
    const bytes = this.#bytesOf(variable);
    return this.codec(name).decode(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 0);
  }

  /**
   * Sets what it will be at load time, as a value or its text (`drop`, `0x10`, `10.0.0.1`, `a=1,b=2`).
   * @throws NetkitError `not-found` with the name that was probably meant; `bad-value` when it does not fit the type
   */
  set<Name extends GlobalName<G>>(name: Name, value: G[Name]['input']): void;
  set(name: GlobalName<G>, value: Value): void {
    const variable = this.spec(name);
    const codec = this.codec(name);
    // Encoded apart, so that a value that does not fit changes nothing.
    const bytes = new Uint8Array(codec.size);
    const view = new DataView(bytes.buffer);
    if (typeof value === 'string') codec.encodeText(value, view, 0);
    else codec.encode(value, view, 0);
    this.#image(variable.section).set(bytes, variable.offset);
  }

  /** The bytes it will have at load time. @throws NetkitError `not-found` */
  bytes(name: GlobalName<G>): Uint8Array {
    return this.#bytesOf(this.spec(name));
  }

  /** The whole contents of the sections in which something was set; each is the value of the map of that name. */
  changes(): ReadonlyMap<string, Uint8Array> {
    return this.#changed;
  }

  #add(btf: BtfGraph, section: string, { name, type, offset, size }: PlacedVariable): void {
    // Two static variables of one name, in different functions: the first is the one that can be named.
    if (this.#variables.has(name)) return;
    this.#variables.set(name, {
      name,
      section,
      offset,
      size,
      type,
      typeName: unqualifiedName(btf, type),
      constant: section.startsWith('.rodata'),
    });
  }

  #bytesOf({ section, offset, size }: GlobalSpec): Uint8Array {
    const changed = this.#changed.get(section);
    if (changed) return changed.subarray(offset, offset + size);
    const original = this.#sections.get(section);
    // .bss has no bytes in the file; making them all up for one variable could take gigabytes in a damaged one.
    if (original === undefined || original.type === sectionTypes.noBits) return new Uint8Array(size);
    return original.data.subarray(offset, offset + size);
  }

  #image(section: string): Uint8Array {
    const changed = this.#changed.get(section);
    if (changed) return changed;
    const original = this.#sections.get(section);
    const image = new Uint8Array(original?.size ?? 0);
    if (original) image.set(original.data);
    this.#changed.set(section, image);
    return image;
  }
}

function unqualifiedName(btf: BtfGraph, id: number): string {
  let type = btf.type(id);
  while (
    type.kind === 'const' ||
    type.kind === 'volatile' ||
    type.kind === 'restrict' ||
    type.kind === 'type_tag'
  ) {
    type = btf.type(type.target);
  }
  const name = btf.nameOf(type.id);
  // The qualifiers of an array stand with its elements.
  return type.kind === 'array' ? name.replace(/^((const|volatile) )+/, '') : name;
}
