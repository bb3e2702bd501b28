/** From a BTF type to its compiled form: the one place that looks types up. */
import { counted } from '../../base/counted.js';
import { NetkitError } from '../../base/errors.js';
import type {
  BtfArray,
  BtfComposite,
  BtfEnum,
  BtfGraph,
  BtfInt,
  BtfMember,
  BtfSection,
} from '../btf/types.js';
import { type Bare, bareType, type FieldOrder } from './bare.js';
import { bitStorage } from './bits.js';
import { charactersForm } from './characters.js';
import { arrayForm, compositeForm, type Slot } from './composite.js';
import { boolDomain, enumDomain, isSigned } from './enum.js';
import {
  type Domain,
  integerDomain,
  integerForm,
  integerRange,
  integerStorage,
  mappedForm,
} from './integer.js';
import { flattenMembers } from './members.js';
import { addressForm, addressKind, saysIpv6 } from './named.js';
import { bytesForm, floatForm, pointerForm } from './scalar.js';
import type { Form } from './value.js';

const orderSizes: Readonly<Record<FieldOrder, number>> = { be16: 2, be32: 4, be64: 8 };

/** The kernel allows 32 levels; a damaged graph must not exhaust the stack. */
const depthLimit = 64;
/** Types visited in one compilation; by-value nesting can double them with every level. */
const visitLimit = 200_000;
/** Bytes; larger types are damage, not data. */
const sizeLimit = 2 ** 28;

/** Where a type stands: what its name, its path and the types around it say about its form. */
interface Place {
  readonly name: string;
  /** Dotted member names from the root, empty for the root itself. */
  readonly path: string;
  readonly depth: number;
  readonly order: FieldOrder | undefined;
}

/** Compiles types of one graph. */
export class Compiler {
  readonly #btf: BtfGraph;
  readonly #littleEndian: boolean;
  readonly #orders: ReadonlyMap<string, FieldOrder>;
  /** Members that `orders` named and that were found. */
  readonly used = new Set<string>();
  /** Paths of integer members, which are what an order can be given for. */
  readonly orderable = new Set<string>();
  #visits = 0;

  /** @param orders byte orders by dotted path, or by member name wherever it stands. */
  constructor(btf: BtfGraph, littleEndian: boolean, orders: ReadonlyMap<string, FieldOrder>) {
    this.#btf = btf;
    this.#littleEndian = littleEndian;
    this.#orders = orders;
  }

  /** @throws NetkitError `bad-object`, or `bad-value` for a type that can hold no value or an order that does not fit. */
  root(typeId: number, name: string): Form {
    return this.#compile(typeId, { name, path: '', depth: 0, order: undefined });
  }

  #compile(typeId: number, place: Place): Form {
    this.#visit(typeId, place);
    const bare = bareType(this.#btf, typeId);
    const { type } = bare;
    const typeName = this.#btf.nameOf(typeId);
    switch (type.kind) {
      case 'var':
        return this.#compile(type.type, { ...place, name: place.name || type.name, depth: place.depth + 1 });
      case 'int':
        return this.#integer(type, typeName, bare, place);
      case 'enum':
        return this.#enum(type, typeName);
      case 'float':
        return floatForm(type.size, this.#littleEndian, typeName) ?? bytesForm(type.size, typeName);
      case 'ptr':
        return pointerForm(this.#littleEndian, typeName);
      case 'array':
        return this.#array(type, typeName, bare, place);
      case 'struct':
      case 'union':
        return this.#composite(type, typeName, place);
      case 'datasec':
        return this.#section(type, place);
      default:
        throw new NetkitError('bad-value', `${typeName || type.kind} is not a type with values`);
    }
  }

  #visit(typeId: number, place: Place): void {
    this.#visits++;
    if (this.#visits > visitLimit || place.depth > depthLimit) {
      const name = this.#btf.nameOf(typeId);
      throw new NetkitError('bad-object', `type ${name} is nested too deeply or has too many members`);
    }
  }

  #addressKind(bare: Bare, place: Place, size: number): ReturnType<typeof addressKind> {
    for (const name of [place.name, ...bare.typedefs]) {
      const kind = addressKind(name, size);
      if (kind !== undefined) return kind;
    }
    return undefined;
  }

  #explicitOrder(place: Place, size: number): FieldOrder | undefined {
    if (place.path !== '') this.orderable.add(place.path);
    const key = [place.path, place.name].find((candidate) => this.#orders.has(candidate));
    const order = key === undefined ? undefined : this.#orders.get(key);
    if (key === undefined || order === undefined) return undefined;
    this.used.add(key);
    if (orderSizes[order] !== size) {
      throw new NetkitError(
        'bad-value',
        `${key} has ${counted(size, 'byte')}, ${order} has ${orderSizes[order]}`,
      );
    }
    return order;
  }

  #integer(type: BtfInt, typeName: string, bare: Bare, place: Place): Form {
    const { size, bits, signed } = type;
    if (bits !== size * 8) {
      return {
        ...this.#bits(type.bitOffset, bits, place, type.bool ? boolDomain : undefined, signed, typeName),
        size,
      };
    }
    if (type.bool) return this.#mapped(size, bits, false, typeName, boolDomain);
    const explicit = this.#explicitOrder(place, size);
    if (explicit === undefined && size === 4 && !signed && this.#addressKind(bare, place, 4) === 'ipv4') {
      return addressForm('ipv4', typeName);
    }
    const order = explicit ?? place.order ?? bare.order;
    const network = order !== undefined && orderSizes[order] === size;
    const form = integerForm(
      size,
      signed,
      network ? false : this.#littleEndian,
      typeName,
      network ? order : undefined,
    );
    return form ?? bytesForm(size, typeName);
  }

  #enum(type: BtfEnum, typeName: string): Form {
    const { size } = type;
    if (size < 1 || size > 8) throw new NetkitError('bad-object', `${typeName} has ${counted(size, 'byte')}`);
    return this.#mapped(size, size * 8, isSigned(type), typeName, enumDomain(type, size * 8));
  }

  #mapped(size: number, bits: number, signed: boolean, typeName: string, domain: Domain): Form {
    if (size < 1 || size > 16)
      throw new NetkitError('bad-object', `${typeName} has ${counted(size, 'byte')}`);
    const whole = integerStorage(size, signed, this.#littleEndian);
    const storage = whole ?? bitStorage(0, bits, signed, this.#littleEndian);
    return mappedForm({ size, typeName, storage, wholeBytes: true }, domain);
  }

  #bits(
    start: number,
    width: number,
    place: Place,
    mapped: Domain | undefined,
    signed: boolean,
    typeName: string,
  ): Form {
    if (width < 1 || width > 128) {
      throw new NetkitError('bad-object', `${place.path || typeName} is ${width} bits wide`);
    }
    const domain =
      mapped ?? integerDomain(integerRange(width, signed, counted(width, signed ? 'signed bit' : 'bit')));
    const storage = bitStorage(start, width, signed, this.#littleEndian);
    return mappedForm({ size: (start + width + 7) >> 3, typeName, storage, wholeBytes: false }, domain);
  }

  #array(type: BtfArray, typeName: string, bare: Bare, place: Place): Form {
    const element = bareType(this.#btf, type.element);
    if (element.type.kind === 'int' && element.type.size === 1 && !element.type.bool) {
      if (element.type.char || element.type.name === 'char') {
        return charactersForm(this.#sized(type.length, place), typeName);
      }
      const kind = this.#addressKind(bare, place, type.length);
      if (kind !== undefined) return addressForm(kind, typeName);
    }
    const words =
      element.type.kind === 'int' && element.type.size === 4 && !element.type.signed && type.length === 4;
    if (words && [place.name, ...bare.typedefs].some(saysIpv6)) return addressForm('ipv6', typeName);
    const form = this.#compile(type.element, {
      ...place,
      depth: place.depth + 1,
      order: bare.order ?? place.order,
    });
    this.#sized(form.size * type.length, place);
    return arrayForm(form, type.length, typeName);
  }

  #sized(size: number, place: Place): number {
    if (size > sizeLimit) {
      throw new NetkitError('bad-object', `${place.path || place.name || 'the type'} has ${size} bytes`);
    }
    return size;
  }

  #composite(type: BtfComposite, typeName: string, place: Place): Form {
    if (type.name === 'in6_addr' && type.size === 16) return addressForm('ipv6', typeName);
    if (type.name === 'in_addr' && type.size === 4) return addressForm('ipv4', typeName);
    this.#sized(type.size, place);
    const flattened = flattenMembers(this.#btf, type, {
      path: place.path,
      visit: () => this.#visit(type.id, place),
      compile: (member, bitOffset, path) =>
        this.#member(member, bitOffset, {
          name: member.name,
          path,
          depth: place.depth + 1,
          order: undefined,
        }),
    });
    return compositeForm(type.size, typeName, flattened);
  }

  #member(member: BtfMember, bitOffset: number, place: Place): Form {
    const { type } = bareType(this.#btf, member.type);
    const start = bitOffset & 7;
    const typeName = this.#btf.nameOf(member.type);
    if (type.kind === 'int') {
      const width = member.bitSize || (type.bits === type.size * 8 ? 0 : type.bits);
      // Old compilers keep a bit field's place in its integer type.
      if (width !== 0) {
        const shifted = start + (member.bitSize === 0 ? type.bitOffset : 0);
        return this.#bits(shifted, width, place, type.bool ? boolDomain : undefined, type.signed, typeName);
      }
    } else if (type.kind === 'enum' && member.bitSize !== 0) {
      const domain = enumDomain(type, member.bitSize);
      return this.#bits(start, member.bitSize, place, domain, isSigned(type), typeName);
    }
    if (start !== 0 || member.bitSize !== 0) {
      throw new NetkitError('bad-object', `member ${place.path} does not start at a byte`);
    }
    return this.#compile(member.type, place);
  }

  #section(type: BtfSection, place: Place): Form {
    this.#sized(type.size, place);
    const names = new Set<string>();
    const slots = type.variables.map((variable): Slot => {
      const declared = this.#btf.type(variable.type).name;
      // Static variables of different functions may share a name, and one name would change the prototype.
      const again = names.has(declared) || declared === '__proto__';
      const name = again ? `${declared}@${variable.offset}` : declared;
      names.add(name);
      const path = place.path === '' ? name : `${place.path}.${name}`;
      const form = this.#compile(variable.type, {
        name: declared,
        path,
        depth: place.depth + 1,
        order: undefined,
      });
      if (variable.offset + form.size > type.size) {
        throw new NetkitError('bad-object', `variable ${name} lies outside ${type.name}`);
      }
      return { name, offset: variable.offset, form, choices: [], printed: true };
    });
    return compositeForm(type.size, type.name, slots);
  }
}
