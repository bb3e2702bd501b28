/** Builds BTF blobs for tests. Every method that adds a type returns its id. */

export interface BuilderMember {
  /** Empty or left out: anonymous. */
  readonly name?: string;
  readonly type: number;
  /** Bytes from the start of the struct; `bitOffset` instead when it is no whole number of bytes. */
  readonly offset?: number;
  readonly bitOffset?: number;
  readonly bitSize?: number;
}

export interface BuilderOptions {
  readonly littleEndian?: boolean;
  /** What the blob continues, when it is to be split BTF. */
  readonly base?: BtfBuilder;
  /** Bytes added to the header, as a later version of the format might. */
  readonly extraHeader?: number;
}

type Linkage = 'static' | 'global' | 'extern';
const linkages: Readonly<Record<Linkage, number>> = { static: 0, global: 1, extern: 2 };

export class BtfBuilder {
  readonly #options: BuilderOptions;
  readonly #words: number[] = [];
  readonly #strings: Buffer[] = [];
  readonly #offsets = new Map<string, number>();
  #stringEnd: number;
  #nextId: number;

  constructor(options: BuilderOptions = {}) {
    this.#options = options;
    this.#nextId = options.base?.nextId ?? 1;
    this.#stringEnd = options.base?.stringEnd ?? 0;
    if (options.base === undefined) {
      this.string('');
    }
  }

  /** Id of the type that is added next, for types that refer to later ones. */
  get nextId(): number {
    return this.#nextId;
  }

  /** Where this blob's strings end, the base's included. */
  get stringEnd(): number {
    return this.#stringEnd;
  }

  /** Adds a string. @returns its offset */
  string(text: string): number {
    const known =
      this.#offsets.get(text) ?? (text === '' && this.#options.base !== undefined ? 0 : undefined);
    if (known !== undefined) {
      return known;
    }
    const bytes = Buffer.from(`${text}\0`, 'utf8');
    const offset = this.#stringEnd;
    this.#strings.push(bytes);
    this.#offsets.set(text, offset);
    this.#stringEnd += bytes.length;
    return offset;
  }

  int(
    name: string,
    size: number,
    encoding: { signed?: boolean; char?: boolean; bool?: boolean; bits?: number; bitOffset?: number } = {},
  ): number {
    const flags = (encoding.signed ? 1 : 0) | (encoding.char ? 2 : 0) | (encoding.bool ? 4 : 0);
    const tail = (flags << 24) | ((encoding.bitOffset ?? 0) << 16) | (encoding.bits ?? size * 8);
    return this.#add(1, name, size, [tail]);
  }

  float(name: string, size: number): number {
    return this.#add(16, name, size);
  }

  ptr(target: number): number {
    return this.#add(2, '', target);
  }

  array(element: number, length: number, index = element): number {
    return this.#add(3, '', 0, [element, index, length]);
  }

  struct(name: string, size: number, members: readonly BuilderMember[]): number {
    return this.#composite(4, name, size, members);
  }

  union(name: string, size: number, members: readonly BuilderMember[]): number {
    return this.#composite(5, name, size, members);
  }

  enum(
    name: string,
    values: Readonly<Record<string, number>>,
    options: { size?: number; signed?: boolean } = {},
  ): number {
    const tail = Object.entries(values).flatMap(([key, value]) => [this.string(key), value]);
    const vlen = Object.keys(values).length;
    return this.#add(6, name, options.size ?? 4, tail, vlen, options.signed ?? false);
  }

  enum64(
    name: string,
    values: Readonly<Record<string, bigint>>,
    options: { size?: number; signed?: boolean } = {},
  ): number {
    const tail = Object.entries(values).flatMap(([key, value]) => [
      this.string(key),
      Number(BigInt.asUintN(32, value)),
      Number(BigInt.asUintN(32, value >> 32n)),
    ]);
    const vlen = Object.keys(values).length;
    return this.#add(19, name, options.size ?? 8, tail, vlen, options.signed ?? false);
  }

  fwd(name: string, of: 'struct' | 'union' = 'struct'): number {
    return this.#add(7, name, 0, [], 0, of === 'union');
  }

  typedef(name: string, target: number): number {
    return this.#add(8, name, target);
  }

  volatile(target: number): number {
    return this.#add(9, '', target);
  }

  const(target: number): number {
    return this.#add(10, '', target);
  }

  restrict(target: number): number {
    return this.#add(11, '', target);
  }

  func(name: string, prototype: number, linkage: Linkage = 'global'): number {
    return this.#add(12, name, prototype, [], linkages[linkage]);
  }

  /** Parameters as `[name, type]`. */
  prototype(returns: number, parameters: readonly (readonly [string, number])[], variadic = false): number {
    const all = variadic ? [...parameters, ['', 0] as const] : parameters;
    const tail = all.flatMap(([name, type]) => [this.string(name), type]);
    return this.#add(13, '', returns, tail, all.length);
  }

  var(name: string, type: number, linkage: Linkage = 'global'): number {
    return this.#add(14, name, type, [linkages[linkage]]);
  }

  datasec(
    name: string,
    size: number,
    variables: readonly { readonly type: number; readonly offset: number; readonly size: number }[],
  ): number {
    const tail = variables.flatMap((variable) => [variable.type, variable.offset, variable.size]);
    return this.#add(15, name, size, tail, variables.length);
  }

  declTag(tag: string, target: number, component = -1): number {
    return this.#add(17, tag, target, [component]);
  }

  typeTag(tag: string, target: number): number {
    return this.#add(18, tag, target);
  }

  /** A record as it stands, for types that no compiler writes. `tail` is the words after the first three. */
  raw(
    kind: number,
    name: string,
    sizeOrType: number,
    tail: readonly number[] = [],
    vlen = 0,
    flag = false,
  ): number {
    return this.#add(kind, name, sizeOrType, tail, vlen, flag);
  }

  bytes(): Uint8Array {
    const headerLength = 24 + (this.#options.extraHeader ?? 0);
    const littleEndian = this.#options.littleEndian ?? true;
    const strings = Buffer.concat(this.#strings);
    const blob = new Uint8Array(headerLength + this.#words.length * 4 + strings.length);
    const view = new DataView(blob.buffer);
    view.setUint16(0, 0xeb9f, littleEndian);
    view.setUint8(2, 1);
    const header = [headerLength, 0, this.#words.length * 4, this.#words.length * 4, strings.length];
    header.forEach((word, index) => {
      view.setUint32(4 + index * 4, word, littleEndian);
    });
    this.#words.forEach((word, index) => {
      view.setUint32(headerLength + index * 4, word >>> 0, littleEndian);
    });
    blob.set(strings, headerLength + this.#words.length * 4);
    return blob;
  }

  #composite(kind: number, name: string, size: number, members: readonly BuilderMember[]): number {
    const hasBitFields = members.some((member) => member.bitSize !== undefined);
    const tail = members.flatMap((member) => {
      const bits = member.bitOffset ?? (member.offset ?? 0) * 8;
      const place = hasBitFields ? ((member.bitSize ?? 0) << 24) | bits : bits;
      return [this.string(member.name ?? ''), member.type, place];
    });
    return this.#add(kind, name, size, tail, members.length, hasBitFields);
  }

  #add(
    kind: number,
    name: string,
    sizeOrType: number,
    tail: readonly number[] = [],
    vlen = 0,
    flag = false,
  ): number {
    const info = ((flag ? 1 : 0) << 31) | (kind << 24) | vlen;
    this.#words.push(this.string(name), info, sizeOrType, ...tail);
    return this.#nextId++;
  }
}
