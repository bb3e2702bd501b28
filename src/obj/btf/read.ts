import { Decoder } from './decode.js';
import { badBtf, Kind } from './format.js';
import { Layout } from './layout.js';
import { NameIndex } from './name-index.js';
import { checkReferences } from './references.js';
import { readSections } from './sections.js';
import { spell } from './spelling.js';
import { BtfStrings } from './strings.js';
import { TypeTable } from './table.js';
import type { BtfDeclTag, BtfGraph, BtfKind, BtfType } from './types.js';

/** A BTF blob: checked as a whole when it is read, decoded type by type when asked. */
export class BtfFile implements BtfGraph {
  readonly littleEndian: boolean;
  readonly count: number;
  readonly #base: BtfFile | undefined;
  readonly #table: TypeTable;
  readonly #strings: BtfStrings;
  readonly #layout: Layout;
  readonly #decoder: Decoder;
  readonly #types: (BtfType | undefined)[];
  #names: NameIndex | undefined;

  /** @throws NetkitError `bad-object` */
  constructor(bytes: Uint8Array, base?: BtfFile) {
    const sections = readSections(bytes, base !== undefined);
    if (base !== undefined && base.littleEndian !== sections.littleEndian) {
      throw badBtf('the byte order is not that of the base');
    }
    this.littleEndian = sections.littleEndian;
    this.#base = base;
    this.#table = new TypeTable(sections.words, base === undefined ? undefined : base.#table);
    this.#strings = new BtfStrings(sections.strings, base === undefined ? undefined : base.#strings);
    checkReferences(this.#table, this.#strings);
    this.#layout = new Layout(this.#table, base === undefined ? undefined : base.#layout);
    this.#decoder = new Decoder(this.#table, this.#strings, this.#layout);
    this.count = this.#table.count;
    this.#types = new Array<BtfType | undefined>(this.count);
  }

  type(id: number): BtfType {
    const known = this.#types[id];
    if (known !== undefined) {
      return known;
    }
    this.#check(id);
    const isOwn = id >= this.#table.first || this.#base === undefined;
    const type = isOwn || this.#base === undefined ? this.#decoder.decode(id) : this.#base.type(id);
    this.#types[id] = type;
    return type;
  }

  resolve(id: number): BtfType {
    this.#check(id);
    return this.type(this.#layout.resolve(id));
  }

  sizeOf(id: number): number {
    this.#check(id);
    const size = this.#layout.sizeOf(id);
    if (Number.isNaN(size)) {
      throw badBtf(`${this.nameOf(id)} has no size`);
    }
    return size;
  }

  find(name: string, ...kinds: BtfKind[]): BtfType | undefined {
    const inBase = this.#base?.find(name, ...kinds);
    if (inBase !== undefined) {
      return inBase;
    }
    this.#names ??= new NameIndex(this.#table, this.#strings);
    for (const id of this.#names.candidates(name)) {
      const type = this.type(id);
      if (type.name === name && (kinds.length === 0 || kinds.includes(type.kind))) {
        return type;
      }
    }
    return undefined;
  }

  nameOf(id: number): string {
    return spell(this, id);
  }

  /** The tags of declarations in this blob, its base's left out, by ascending id. */
  *declarationTags(): Generator<BtfDeclTag> {
    for (let id = this.#table.first; id < this.count; id++) {
      if (this.#table.kind(id) !== Kind.declTag) continue;
      const type = this.type(id);
      if (type.kind === 'decl_tag') yield type;
    }
  }

  #check(id: number): void {
    if (!(Number.isInteger(id) && id >= 0 && id < this.count)) {
      throw badBtf(`there is no type ${id}`);
    }
  }
}

/**
 * Reads BTF as compilers write it into `.BTF` and the kernel shows it in /sys/kernel/btf, of either byte order.
 *
 * @param base what split BTF, such as a kernel module's, continues: a graph that `readBtf` made
 * @throws NetkitError `bad-object` when it is damaged, or when types contain themselves
 */
export function readBtf(bytes: Uint8Array, base?: BtfGraph): BtfFile {
  if (base !== undefined && !(base instanceof BtfFile)) {
    throw new TypeError('the base of split BTF must itself come from readBtf');
  }
  return new BtfFile(bytes, base);
}
