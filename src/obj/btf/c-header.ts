import { CNames, type Tagged } from './c/names.js';
import { CWriter, floatName } from './c/write.js';
import { badBtf } from './format.js';
import type { BtfComposite, BtfEnum, BtfForward, BtfGraph, BtfModifier, BtfType } from './types.js';

export interface CHeaderOptions {
  /** The include guard. libbpf's headers look for the default, `__VMLINUX_H__`. */
  readonly guard?: string | undefined;
  /** Mark all records for CO-RE relocation; true unless told otherwise. */
  readonly preserveAccessIndex?: boolean | undefined;
  /** Lines for a comment at the top. */
  readonly comment?: readonly string[] | undefined;
  /** Only these types, with what they need; of structs that are only pointed to, the name. All types when left out. */
  readonly roots?: readonly number[] | undefined;
}

/**
 * A C header with all named types of a graph, and the unnamed enums nothing refers to, laid out as the graph says. It
 * compiles with `clang -target bpf`. Functions, variables and sections are left out.
 *
 * Of several types with one name the one with the lowest id keeps it, the others become `name___2`, `name___3`.
 *
 * @throws NetkitError `bad-object` for a graph that cannot come from C, such as a pointer to itself
 */
export function cHeader(btf: BtfGraph, options: CHeaderOptions = {}): string {
  const guard = options.guard ?? '__VMLINUX_H__';
  const comment = (options.comment ?? []).map((line) => `/* ${line.replaceAll('*/', '* /')} */\n`).join('');
  const preserve = options.preserveAccessIndex ?? true;
  return [
    `${comment}#ifndef ${guard}\n#define ${guard}\n`,
    ...(preserve ? [pushAttribute] : []),
    ...new HeaderOrder(btf).written(options.roots),
    ...(preserve ? [popAttribute] : []),
    `#endif /* ${guard} */\n`,
  ].join('\n');
}

const pushAttribute = `#ifndef BPF_NO_PRESERVE_ACCESS_INDEX
#pragma clang attribute push (__attribute__((preserve_access_index)), apply_to = record)
#endif
`;

const popAttribute = `#ifndef BPF_NO_PRESERVE_ACCESS_INDEX
#pragma clang attribute pop
#endif
`;

const deepest = 1000;

/** C23 has these words itself. */
const untilC23 = (text: string): string =>
  `#if !defined(__STDC_VERSION__) || __STDC_VERSION__ < 202311L\n${text}#endif\n`;

/** Puts declarations into an order in which each uses only what is there before it. */
class HeaderOrder {
  readonly #btf: BtfGraph;
  readonly #names: CNames;
  readonly #writer: CWriter;
  readonly #output: string[] = [];
  /** Types of which objects can be declared: they and all that they contain are written. */
  readonly #complete = new Set<number>();
  /** Types that can be pointed to. */
  readonly #declared = new Set<number>();
  /** Types that are being written. */
  readonly #open = new Set<number>();
  /** Where in the output a struct or union was announced. */
  readonly #announced = new Map<number, number>();

  constructor(btf: BtfGraph) {
    this.#btf = btf;
    this.#names = new CNames(btf);
    this.#writer = new CWriter(btf, this.#names);
  }

  written(roots: readonly number[] | undefined): string[] {
    const types = Array.from({ length: this.#btf.count }, (_, id) => this.#btf.type(id));
    const wanted = roots?.map((id) => this.#btf.type(id)) ?? types;
    this.#writeFloats(types);
    for (const type of wanted) {
      if (type.kind === 'typedef' || (isTagged(type) && type.name !== '')) {
        this.#require(type.id, 0);
      }
    }
    for (const type of wanted) {
      if (type.kind === 'enum' && !this.#writer.hasWritten(type) && type.values.length > 0) {
        this.#write(type);
      }
    }
    return this.#output.filter((text) => text !== '');
  }

  #writeFloats(types: readonly BtfType[]): void {
    const floats = types.filter((type) => type.kind === 'float' && floatName(type.size).startsWith('__'));
    for (const size of new Set(floats.map((type) => this.#btf.sizeOf(type.id)))) {
      this.#output.push(`typedef struct {\n\tunsigned char bytes[${size}];\n} ${floatName(size)};\n`);
    }
  }

  /** Sees to it that objects of a type can be declared. */
  #require(id: number, depth: number): void {
    const type = this.#canonical(id);
    if (this.#complete.has(type.id)) {
      return;
    }
    this.#limit(type.id, depth);
    switch (type.kind) {
      case 'struct':
      case 'union':
        this.#enter(type.id);
        for (const member of type.members) {
          this.#require(member.type, depth + 1);
        }
        this.#open.delete(type.id);
        if (type.name !== '') {
          this.#write(type);
        }
        break;
      case 'enum':
        if (type.name !== '') {
          this.#write(type);
        }
        break;
      case 'array':
        this.#require(type.element, depth + 1);
        break;
      case 'typedef':
        this.#declare(type.id, depth + 1);
        this.#require(type.target, depth + 1);
        break;
      case 'const':
      case 'volatile':
      case 'restrict':
      case 'type_tag':
        this.#require(type.target, depth + 1);
        break;
      default:
        this.#declare(type.id, depth + 1);
        return;
    }
    this.#complete.add(type.id);
  }

  /** Sees to it that a type can be named, as the target of a pointer or of a typedef. */
  #declare(id: number, depth: number): void {
    const type = this.#canonical(id);
    if (this.#declared.has(type.id) || this.#complete.has(type.id)) {
      return;
    }
    this.#limit(type.id, depth);
    switch (type.kind) {
      case 'struct':
      case 'union':
      case 'fwd':
        if (type.name === '') {
          this.#require(type.id, depth + 1);
        } else {
          this.#announce(type);
        }
        break;
      case 'enum':
      case 'array':
        this.#require(type.id, depth + 1);
        break;
      case 'typedef':
        this.#enter(type.id);
        this.#declare(type.target, depth + 1);
        this.#open.delete(type.id);
        this.#writeTypedef(type);
        break;
      case 'func_proto':
        this.#declare(type.returns, depth + 1);
        for (const parameter of type.parameters) {
          this.#declare(parameter.type, depth + 1);
        }
        break;
      case 'ptr':
      case 'const':
      case 'volatile':
      case 'restrict':
      case 'type_tag':
        this.#declare(type.target, depth + 1);
        break;
      default:
        break;
    }
    this.#declared.add(type.id);
  }

  #canonical(id: number): BtfType {
    const type = this.#btf.type(id);
    return isTagged(type) && type.name !== '' ? this.#names.canonical(type) : type;
  }

  #announce(type: BtfComposite | BtfForward): void {
    const keyword = type.kind === 'fwd' ? type.of : type.kind;
    this.#announced.set(type.id, this.#output.length);
    this.#output.push(`${keyword} ${this.#names.tag(type)};\n`);
  }

  #write(type: BtfComposite | BtfEnum): void {
    this.#dropAnnouncement(type.id);
    const text = `${this.#writer.definition(type)};\n`;
    const isTruth =
      type.kind === 'enum' && type.values.some(({ name }) => name === 'true' || name === 'false');
    this.#output.push(isTruth ? untilC23(text) : text);
  }

  #writeTypedef(type: BtfModifier): void {
    const name = this.#names.typedef(type);
    const text = `typedef ${this.#writer.declaration(type.target, name)};\n`;
    this.#output.push(name === 'bool' ? untilC23(text) : text);
  }

  /** An announcement with nothing but announcements between it and the definition was for the definition itself. */
  #dropAnnouncement(id: number): void {
    const index = this.#announced.get(id);
    if (index === undefined) {
      return;
    }
    for (let at = this.#output.length - 1; at > index; at--) {
      if (!announcement.test(this.#output[at] ?? '')) {
        return;
      }
    }
    this.#output[index] = '';
  }

  #enter(id: number): void {
    if (this.#open.has(id)) {
      throw badBtf(`type ${id} is needed before it can be declared`);
    }
    this.#open.add(id);
  }

  #limit(id: number, depth: number): void {
    if (depth > deepest) {
      throw badBtf(`type ${id} is nested more than ${deepest} levels deep`);
    }
  }
}

const announcement = /^((struct|union) \w+;\n)?$/;

function isTagged(type: BtfType): type is Tagged {
  return type.kind === 'struct' || type.kind === 'union' || type.kind === 'enum' || type.kind === 'fwd';
}
