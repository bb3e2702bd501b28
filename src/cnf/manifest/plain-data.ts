/** From the nodes of a YAML document to plain data, where each value is what its place in the schema takes it for. */
import { type Document, isAlias, isMap, isScalar, isSeq, type Node, type Scalar, type YAMLMap } from 'yaml';
import { keyText, NodePlaces, nodeOf, sourceOf } from './node-places.js';
import type { Step } from './path-text.js';
import { alternatives, childrenOf, type Schema, takesAnything, takesText } from './schema-walk.js';
import type { TextPlaces } from './text-place.js';

/** As deep as a file may be nested; aliases could go on from there. */
const mostLevels = 100;
/** Nodes that aliases may stand for, in all: a small file must not become a large document. */
const mostAliased = 100_000;

/** Something that is wrong whatever the schema says. */
export interface Finding {
  readonly path: readonly Step[];
  readonly offset: number;
  readonly message: string;
}

class TooMuch extends Error {
  readonly finding: Finding;

  constructor(finding: Finding) {
    super(finding.message);
    this.finding = finding;
  }
}

/** One document: its data, and where everything in it stands. */
export class PlainDocument {
  readonly findings: Finding[] = [];
  readonly places: NodePlaces;
  readonly #root: Node | null;
  readonly #lines: TextPlaces;
  readonly #anchors = new Map<string, Node>();
  /** What each alias stands for: the last anchor of its name before it. */
  readonly #targets = new Map<Node, Node>();
  /** The targets of aliases that are being read. */
  readonly #inside = new Set<Node>();
  #aliased = 0;

  constructor(document: Document.Parsed, lines: TextPlaces) {
    this.#root = document.contents;
    this.#lines = lines;
    this.places = new NodePlaces(this.#root, document.range[0], (node) => this.#resolve(node));
  }

  /** The text of a field at the top of the document, before it is known which schema is meant. */
  topText(name: string): string | undefined {
    const root = this.#root;
    const pair = isMap(root) ? root.items.find(({ key }) => keyText(nodeOf(key)) === name) : undefined;
    return pair === undefined ? undefined : keyText(nodeOf(pair.value));
  }

  /** The document as data, undefined when it could not be read to its end. To be called once. */
  read(schema: Schema): { readonly data: unknown } | undefined {
    try {
      return { data: this.#read(this.#root, alternatives(schema), []) };
    } catch (error) {
      if (!(error instanceof TooMuch)) throw error;
      this.findings.push(error.finding);
      return undefined;
    }
  }

  #read(node: Node | null, schemas: readonly Schema[], path: readonly Step[]): unknown {
    if (node === null) return null;
    if (this.#inside.size > 0) this.#aliased += 1;
    if (this.#aliased > mostAliased)
      throw tooMuch(path, node, `its aliases stand for more than ${mostAliased} values`);
    if (path.length > mostLevels) throw tooMuch(path, node, `nested more than ${mostLevels} levels deep`);
    if (isAlias(node)) return this.#readAlias(node, schemas, path);
    if (node.tag !== undefined && !/^tag:yaml\.org,2002:(str|int|float|bool|null|map|seq)$/.test(node.tag))
      return this.#complain(path, node, 'a manifest has no tags');
    this.#remember(node);
    if (isScalar(node)) return this.#readScalar(node, schemas, path);
    if (isMap(node)) return this.#readMapping(node, schemas, path);
    if (!isSeq(node)) return null;
    return node.items.map((item, index) =>
      this.#read(nodeOf(item), childrenOf(schemas, index), [...path, index]),
    );
  }

  #remember(node: Node): void {
    // What an alias stands for has been remembered where it stands itself.
    if (this.#inside.size === 0 && 'anchor' in node && typeof node.anchor === 'string') {
      this.#anchors.set(node.anchor, node);
    }
  }

  #readAlias(alias: Node, schemas: readonly Schema[], path: readonly Step[]): unknown {
    const target = this.#resolve(alias);
    if (target === undefined) return this.#complain(path, alias, 'there is no anchor of that name before it');
    // An anchor is known from its beginning on, so that an alias can stand inside of what it stands for.
    if (this.#inside.has(target)) return this.#complain(path, alias, 'the alias stands for itself');
    this.#inside.add(target);
    const value = this.#read(target, schemas, path);
    this.#inside.delete(target);
    return value;
  }

  #resolve(node: Node): Node | undefined {
    if (!isAlias(node)) return node;
    const target = this.#targets.get(node) ?? this.#anchors.get(node.source);
    if (target !== undefined) this.#targets.set(node, target);
    return target;
  }

  #readScalar(scalar: Scalar, schemas: readonly Schema[], path: readonly Step[]): unknown {
    const { value } = scalar;
    if (value === null || value === undefined) return null;
    if (takesText(schemas)) return sourceOf(scalar);
    if (typeof value === 'number' && takesAnything(schemas) && !isExact(value))
      return this.#complain(
        path,
        scalar,
        `the number ${sourceOf(scalar)} would lose digits: put it in quotes`,
      );
    return value;
  }

  #readMapping(mapping: YAMLMap, schemas: readonly Schema[], path: readonly Step[]): unknown {
    const data: Record<string, unknown> = {};
    const keys = new Map<string, Node>();
    for (const pair of mapping.items) {
      const key = nodeOf(pair.key);
      if (key !== null) this.#remember(key);
      const name = key === null ? undefined : keyText(this.#resolve(key));
      if (key === null || name === undefined) {
        this.#complain(path, key ?? mapping, 'a key must be text, not a list or mapping');
        continue;
      }
      const fault = this.#faultOfKey(name, keys.get(name), nodeOf(pair.value));
      if (fault !== undefined) this.#complain([...path, name], key, fault);
      else data[name] = this.#read(nodeOf(pair.value), childrenOf(schemas, name), [...path, name]);
      keys.set(name, keys.get(name) ?? key);
    }
    return data;
  }

  #faultOfKey(name: string, first: Node | undefined, value: Node | null): string | undefined {
    if (first !== undefined) {
      const { line, column } = this.#lines.at(first.range?.[0] ?? 0);
      return `the key is there already, at ${line}:${column}`;
    }
    // It would set the prototype of an object of JavaScript.
    if (name === '__proto__') return 'this cannot be a key';
    return name === '<<' && isAlias(value) ? 'a manifest has no merge keys' : undefined;
  }

  #complain(path: readonly Step[], node: Node, message: string): undefined {
    this.findings.push({ path, offset: offsetOf(node), message });
  }
}

function tooMuch(path: readonly Step[], node: Node, message: string): TooMuch {
  // Such a path is of no use to anybody in its full length.
  return new TooMuch({ path: path.slice(0, 4), offset: offsetOf(node), message });
}

function offsetOf(node: Node): number {
  return node.range?.[0] ?? 0;
}

function isExact(number: number): boolean {
  return Number.isFinite(number) && (!Number.isInteger(number) || Number.isSafeInteger(number));
}
