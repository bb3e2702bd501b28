import { NetkitError } from '../../../base/errors.js';
import type { BtfComposite, BtfEnum, BtfForward, BtfGraph, BtfInt, BtfModifier } from '../types.js';

/** What C and clang's BPF target keep for themselves. `true`, `false` and `bool` are the kernel's own before C23. */
const reserved = new Set(
  (
    'asm auto break case char const continue default do double else enum extern float for goto if inline int long ' +
    'register restrict return short signed sizeof static struct switch typedef typeof union unsigned void volatile ' +
    'while _Alignas _Alignof _Atomic _Bool _Complex _Float16 _Generic _Imaginary _Noreturn _Static_assert ' +
    '_Thread_local __asm __asm__ __attribute __attribute__ __auto_type __builtin_va_list __const __const__ __float128 ' +
    '__inline __inline__ __int128 __int128_t __restrict __restrict__ __signed __signed__ __typeof __typeof__ ' +
    '__uint128_t __volatile __volatile__'
  ).split(' '),
);

/** A name as C can have it: other languages' names (`core::option::Option<u8>`) lose what C does not allow. */
export function identifier(name: string): string {
  const clean = name.replace(/[^A-Za-z0-9_]/g, '_');
  return /^[0-9]/.test(clean) || clean === '' ? `_${clean}` : clean;
}

/** A member's name, which shares its namespace with keywords only. */
export function memberName(name: string): string {
  const clean = identifier(name);
  return reserved.has(clean) ? `${clean}_` : clean;
}

/** Hands out names that are not yet taken: the second `x` becomes `x___2`, whose suffix CO-RE relocation ignores. */
class Namespace {
  readonly #taken = new Set<string>();
  readonly #lastSuffix = new Map<string, number>();

  take(name: string): string {
    const clean = identifier(name);
    if (!reserved.has(clean) && !this.#taken.has(clean)) {
      this.#taken.add(clean);
      return clean;
    }
    let suffix = this.#lastSuffix.get(clean) ?? 1;
    let candidate: string;
    do {
      suffix += 1;
      candidate = `${clean}___${suffix}`;
    } while (this.#taken.has(candidate));
    this.#lastSuffix.set(clean, suffix);
    this.#taken.add(candidate);
    return candidate;
  }
}

export type Tagged = BtfComposite | BtfEnum | BtfForward;

/**
 * The names of everything that a header declares. Of types with the same name the one with the lowest id keeps it, so
 * it is the one that `BtfGraph.find` gives.
 */
export class CNames {
  readonly #tags = new Map<number, string>();
  readonly #typedefs = new Map<number, string>();
  readonly #ordinary = new Namespace();
  /** By `struct name`, `union name` and `enum name`: the first definition, or else the first declaration. */
  readonly #first = new Map<string, Tagged>();

  constructor(btf: BtfGraph) {
    const tags = new Namespace();
    const forwards: Tagged[] = [];
    for (let id = 1; id < btf.count; id++) {
      const type = btf.type(id);
      if (type.kind === 'typedef') {
        this.#typedefs.set(id, this.#ordinary.take(type.name));
      } else if (isTagged(type) && type.name !== '') {
        if (isDeclarationOnly(type)) {
          forwards.push(type);
          continue;
        }
        this.#tags.set(id, tags.take(type.name));
        this.#setFirst(type);
      }
    }
    for (const type of forwards) {
      if (this.#setFirst(type)) {
        this.#tags.set(type.id, tags.take(type.name));
      }
    }
  }

  /** The definition that a declaration without a body stands for, or one declaration for all of that name. */
  canonical(type: Tagged): Tagged {
    return isDeclarationOnly(type) ? (this.#first.get(keyOf(type)) ?? type) : type;
  }

  /** The tag of a named struct, union or enum, without the keyword. */
  tag(type: Tagged): string {
    return this.#tags.get(this.canonical(type).id) ?? identifier(type.name);
  }

  typedef(type: BtfModifier): string {
    return this.#typedefs.get(type.id) ?? identifier(type.name);
  }

  /** A name for an enumerator or a type of the generator's own; each call takes a new one. */
  ordinary(name: string): string {
    return this.#ordinary.take(name);
  }

  #setFirst(type: Tagged): boolean {
    const key = keyOf(type);
    if (this.#first.has(key)) {
      return false;
    }
    this.#first.set(key, type);
    return true;
  }
}

function keyOf(type: Tagged): string {
  return `${type.kind === 'fwd' ? type.of : type.kind} ${type.name}`;
}

function isTagged(type: { readonly kind: string }): type is Tagged {
  return type.kind === 'struct' || type.kind === 'union' || type.kind === 'enum' || type.kind === 'fwd';
}

/** BTF has no declaration of enums but one without values. */
function isDeclarationOnly(type: Tagged): boolean {
  return type.kind === 'fwd' || (type.kind === 'enum' && type.values.length === 0);
}

const integerSizes: Readonly<Record<string, number>> = { char: 1, short: 2, int: 4, long: 8, __int128: 16 };
const integerWords = new Set(['signed', 'unsigned', ...Object.keys(integerSizes)]);
const bySize: Readonly<Record<number, string>> = {
  1: 'char',
  2: 'short',
  4: 'int',
  8: 'long long',
  16: '__int128',
};

/**
 * An integer type that has the given one's size where the BPF target compiles it: the type's own words when they do,
 * which they do not for a 32-bit kernel's `long` or for Rust's `usize`.
 */
export function integerWordsOf(type: BtfInt): string {
  if (type.name === '_Bool' || type.bool) {
    return type.size === 1 ? '_Bool' : sized(type);
  }
  const words = type.name.split(' ');
  const known = words.every((word) => integerWords.has(word));
  const word = words.find((each) => each !== 'int' && integerSizes[each] !== undefined) ?? 'int';
  return known && integerSizes[word] === type.size ? type.name : sized(type);
}

function sized(type: BtfInt): string {
  const word = bySize[type.size];
  if (word === undefined) {
    throw new NetkitError('bad-object', `BTF: C has no integer of ${type.size} bytes for ${type.name}`);
  }
  return `${type.signed ? 'signed' : 'unsigned'} ${word}`;
}
