/** Names, literals and comments of TypeScript from names of C, which in a damaged or hostile object may be anything. */

/** Words that name no variable in a module, and `object`-like ones that would surprise. */
const reserved: ReadonlySet<string> = new Set(
  (
    'await break case catch class const continue debugger default delete do else enum export extends false finally for ' +
    'function if implements import in instanceof interface let new null package private protected public return static ' +
    'super switch this throw true try typeof var void while with yield arguments eval undefined'
  ).split(' '),
);

/** Hands out names of types, each once. */
export class TypeNames {
  readonly #taken: Set<string>;

  /** @param taken names that the module has already, such as its imports. */
  constructor(taken: Iterable<string>) {
    this.#taken = new Set(taken);
  }

  /** `prefix_v4` becomes `PrefixV4`, or `PrefixV42` and so on where that is taken. */
  typeName(text: string): string {
    const base = pascalCase(text);
    let name = base;
    for (let count = 2; this.#taken.has(name); count++) name = `${base}${count}`;
    this.#taken.add(name);
    return name;
  }
}

/** More characters tell nobody anything. */
const longestName = 100;

/** A name of a type that starts with a capital letter: no word of the language does. */
export function pascalCase(text: string): string {
  const name = wordsOf(text)
    .map((word) => `${word.slice(0, 1).toUpperCase()}${word.slice(1)}`)
    .join('');
  return /^[A-Z]/.test(name) ? name.slice(0, longestName) : `T${name}`.slice(0, longestName);
}

/** A name of a variable: `my-func` becomes `myFunc`, `new` becomes `new_`. */
export function variableName(text: string): string {
  const pascal = pascalCase(text);
  const name = `${pascal.slice(0, 1).toLowerCase()}${pascal.slice(1)}`;
  return reserved.has(name) ? `${name}_` : name;
}

function wordsOf(text: string): string[] {
  return text.split(/[^A-Za-z0-9]+/).filter((word) => word !== '');
}

/** A property's name as it stands before its colon in a type. */
export function propertyName(name: string): string {
  return isPlainName(name) ? name : literal(name);
}

/** The same in an object, where `__proto__:` would set the prototype. */
export function memberName(name: string): string {
  return name === '__proto__' ? "['__proto__']" : propertyName(name);
}

function isPlainName(name: string): boolean {
  return /^[A-Za-z_$][A-Za-z0-9_$]*$/.test(name);
}

/** A string literal in plain ASCII: what looks like other letters, or turns the line around, is escaped. */
export function literal(text: string): string {
  return `'${escaped(text.replaceAll('\\', '\\\\').replaceAll("'", "\\'"))}'`;
}

/** Text that can stand in a comment. */
export function commentText(text: string): string {
  return escaped(text).replaceAll('*/', '* /').replaceAll('`', "'");
}

function escaped(text: string): string {
  return text.replaceAll(
    /[^\x20-\x7e]/gu,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );
}
