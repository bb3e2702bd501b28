/** Where the parts of a YAML document stand in its text. */
import { isMap, isScalar, isSeq, type Node, type Scalar } from 'yaml';
import type { Step } from './path-text.js';

/** A member of a mapping: the offset of its key, and its value unless that is left out. */
interface Member {
  readonly keyOffset: number;
  readonly value: Node | null;
}

export class NodePlaces {
  readonly #root: Node | null;
  readonly #start: number;
  readonly #resolve: (node: Node) => Node | undefined;
  readonly #members = new Map<Node, ReadonlyMap<string, Member>>();

  /**
   * @param start the offset of a document that has nothing in it
   * @param resolve what an alias stands for, the node itself for any other
   */
  constructor(root: Node | null, start: number, resolve: (node: Node) => Node | undefined) {
    this.#root = root;
    this.#start = start;
    this.#resolve = resolve;
  }

  /** The offset of what stands at a path; where there is nothing, of the innermost thing around it. */
  offsetOf(path: readonly Step[]): number {
    return this.#find(path).offset;
  }

  /** The offset of the key that a path ends in; of an element of a list its own. */
  offsetOfKey(path: readonly Step[]): number {
    const { keyOffset, offset } = this.#find(path);
    return keyOffset ?? offset;
  }

  #find(path: readonly Step[]): { readonly offset: number; readonly keyOffset: number | undefined } {
    let node = this.#root;
    let offset = node?.range?.[0] ?? this.#start;
    let keyOffset: number | undefined;
    for (const step of path) {
      const inside = node === null ? undefined : this.#resolve(node);
      const member = inside === undefined ? undefined : this.#memberOf(inside, step);
      if (member === undefined) return { offset, keyOffset: undefined };
      node = member.value;
      keyOffset = member.keyOffset;
      // What is left empty has no place of its own.
      offset = node === null || isEmptyScalar(node) ? keyOffset : (node.range?.[0] ?? keyOffset);
    }
    return { offset, keyOffset };
  }

  #memberOf(node: Node, step: Step): Member | undefined {
    if (isSeq(node) && typeof step === 'number') {
      const value = nodeOf(node.items[step]);
      return value === null ? undefined : { keyOffset: value.range?.[0] ?? this.#start, value };
    }
    return this.#membersOf(node).get(String(step));
  }

  #membersOf(node: Node): ReadonlyMap<string, Member> {
    const known = this.#members.get(node);
    if (known !== undefined || !isMap(node)) return known ?? new Map();
    const members = new Map<string, Member>();
    for (const pair of node.items) {
      const key = nodeOf(pair.key);
      const name = key === null ? undefined : keyText(this.#resolve(key));
      if (key !== null && name !== undefined && !members.has(name))
        members.set(name, { keyOffset: key.range?.[0] ?? this.#start, value: nodeOf(pair.value) });
    }
    this.#members.set(node, members);
    return members;
  }
}

/** A key as text, letter by letter; undefined when it is no scalar. */
export function keyText(key: Node | null | undefined): string | undefined {
  return isScalar(key) ? sourceOf(key) : undefined;
}

/** The text of a scalar: without its quotes, but otherwise as it is written. */
export function sourceOf(scalar: Scalar): string {
  return scalar.source ?? String(scalar.value);
}

export function isEmptyScalar(node: Node): boolean {
  return isScalar(node) && node.value === null && sourceOf(node) === '';
}

/** What the parser gives as a part of a collection. */
export function nodeOf(part: unknown): Node | null {
  return typeof part === 'object' && part !== null && 'range' in part ? (part as Node) : null;
}
