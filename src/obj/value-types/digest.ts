/** Short texts that are equal where values are of the same types. */
import { createHash } from 'node:crypto';
import type { EntryValues } from './object.js';
import type { CompositeValue, Part, ValueType } from './value-type.js';

/** Digests of types, each struct's worked out once: by-value nesting can double with every level. */
export class Digests {
  readonly #composites = new Map<CompositeValue, string>();

  /** Of a map's kind, keys and values: `lpm_trie 5c1de93f0a7b2c44`. */
  ofMap(map: EntryValues): string {
    return `${map.type} ${short(this.#map(map))}`;
  }

  /** Of a variable: `5c1de93f0a7b2c44`. */
  ofValue(type: ValueType): string {
    return short(this.#value(type));
  }

  #map({ type, key, value, inner }: EntryValues): string {
    const part = (each: ValueType | undefined): string => (each === undefined ? 'none' : this.#value(each));
    return `${type}(${part(key)},${part(value)},${inner === undefined ? 'none' : this.#map(inner)})`;
  }

  /** Names of C types do not count, nor where members lie: neither is seen by who reads values. */
  #value(type: ValueType): string {
    switch (type.kind) {
      case 'integer':
        return type.word;
      case 'enum':
        return `enum${type.bits}${JSON.stringify(type.enumerators)}`;
      case 'array':
        return `[${this.#value(type.element)}*${type.length}]`;
      case 'composite':
        return this.#composite(type);
      case 'prefix':
        return `prefix${type.width}(${this.#composite(type.whole)})`;
      case 'text':
      case 'bytes':
      case 'float':
        return `${type.kind}${type.size}`;
      case 'descriptor':
        return `${type.typeName}${type.size}`;
      case 'reference':
        return `reference to ${type.to}`;
      default:
        return type.kind;
    }
  }

  #composite(type: CompositeValue): string {
    let digest = this.#composites.get(type);
    if (digest === undefined) {
      digest = `{${short(this.#parts(type.parts))}}`;
      this.#composites.set(type, digest);
    }
    return digest;
  }

  #parts(parts: readonly Part[]): string {
    const texts = parts.map((part) =>
      part.kind === 'member'
        ? `${JSON.stringify(part.name)}${part.shown ? '' : '?'}:${this.#value(part.type)}`
        : `(${part.alternatives.map((each) => this.#parts(each)).join('|')})`,
    );
    return texts.join(';');
  }
}

function short(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
