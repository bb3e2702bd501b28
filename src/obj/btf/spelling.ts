import type { BtfGraph, BtfPrototype, BtfType } from './types.js';

/** A name is for people: beyond these limits it says `…`. No C that anybody wrote comes near them. */
const deepest = 64;
const longest = 2000;

/** A type's C spelling as it grows around the name that is declared with it. */
interface Declarator {
  readonly text: string;
  /** `*name` needs parentheses before it becomes an array or a function. */
  readonly isPointer: boolean;
}

/** The C spelling of a type: `const char *`, `__u32[4]`, `int (*)(void *, ...)`; anonymous ones as `struct { … }`. */
export function spell(btf: BtfGraph, id: number): string {
  return declare(btf, id, { text: '', isPointer: false }, 0);
}

function declare(btf: BtfGraph, id: number, around: Declarator, depth: number): string {
  if (depth > deepest || around.text.length > longest) {
    return join('…', around.text);
  }
  const type = btf.type(id);
  switch (type.kind) {
    case 'ptr':
      return declare(btf, type.target, { text: `*${around.text}`, isPointer: true }, depth + 1);
    case 'const':
    case 'volatile':
    case 'restrict':
      return qualify(btf, type.target, type.kind, around, depth);
    case 'type_tag':
      return declare(btf, type.target, around, depth + 1);
    case 'array':
      return declare(btf, type.element, suffixed(around, `[${type.length}]`), depth + 1);
    case 'func_proto':
      return declare(btf, type.returns, suffixed(around, parameters(btf, type, depth)), depth + 1);
    case 'func':
    case 'var': {
      const target = type.kind === 'func' ? type.prototype : type.type;
      return declare(btf, target, { text: type.name, isPointer: false }, depth + 1);
    }
    default:
      return join(tagged(type), around.text);
  }
}

/** `const` goes before a named type and after the star of a pointer. */
function qualify(btf: BtfGraph, target: number, word: string, around: Declarator, depth: number): string {
  const kind = btf.resolve(target).kind;
  const isDerived = kind === 'ptr' || kind === 'func_proto' || kind === 'array';
  if (isDerived && btf.type(target).kind !== 'typedef') {
    const text = around.text === '' ? word : `${word} ${around.text}`;
    return declare(btf, target, { ...around, text }, depth + 1);
  }
  return `${word} ${declare(btf, target, around, depth + 1)}`;
}

function suffixed(around: Declarator, suffix: string): Declarator {
  return { text: `${around.isPointer ? `(${around.text})` : around.text}${suffix}`, isPointer: false };
}

function parameters(btf: BtfGraph, type: BtfPrototype, depth: number): string {
  const parts: string[] = [];
  let length = 0;
  for (const parameter of type.parameters) {
    // The depth doubles so that prototypes within prototypes cannot multiply.
    const part =
      length > longest ? '…' : declare(btf, parameter.type, { text: '', isPointer: false }, depth * 2 + 8);
    parts.push(part);
    length += part.length;
    if (part === '…') {
      break;
    }
  }
  if (type.variadic) {
    parts.push('...');
  }
  return `(${parts.length === 0 ? 'void' : parts.join(', ')})`;
}

function tagged(type: BtfType): string {
  switch (type.kind) {
    case 'struct':
    case 'union':
    case 'enum':
      return type.name === '' ? `${type.kind} { … }` : `${type.kind} ${type.name}`;
    case 'fwd':
      return `${type.of} ${type.name}`;
    case 'void':
      return 'void';
    default:
      return type.name;
  }
}

function join(specifier: string, declarator: string): string {
  if (declarator === '' || declarator.startsWith('[')) {
    return `${specifier}${declarator}`;
  }
  return `${specifier} ${declarator}`;
}
