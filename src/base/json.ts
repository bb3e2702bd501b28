/**
 * JSON without loss: 64-bit counters keep all their digits in both directions, which `JSON.parse` and
 * `JSON.stringify` of Node 20 cannot do.
 */
import { NetkitError } from './errors.js';

export type JsonValue = null | boolean | number | bigint | string | JsonValue[] | JsonObject;
export interface JsonObject {
  [member: string]: JsonValue;
}

export interface ParseJsonOptions {
  /** The number of the first line, for one line of a larger file. 1 when left out. */
  readonly firstLine?: number;
}

export interface ToJsonOptions {
  /** Spaces per level; left out or 0 for one line. */
  readonly indent?: number;
  /** `'string'` quotes every bigint, for consumers that would round it. `'number'` when left out. */
  readonly bigints?: 'number' | 'string';
}

/** Deeper nesting is refused: no document of ours comes near it, and recursion must end before the stack does. */
const depthLimit = 128;
/** More digits than any type has; longer ones would cost quadratic time. */
const digitLimit = 1000;

/**
 * Reads one JSON document (RFC 8259, nothing more). Integers outside ±(2^53 − 1) come as bigint, all other numbers
 * as number. A member named twice is refused, as is nesting deeper than 128.
 *
 * @throws NetkitError `bad-value`; the message starts with `line L, column C:` (both from 1, columns in UTF-16
 *   units), and `details` has `line` and `column`.
 */
export function parseJson(text: string, options: ParseJsonOptions = {}): JsonValue {
  return new JsonReader(text, options.firstLine ?? 1).document();
}

/** Sets an own member whatever its name: plain assignment to `__proto__` would change the prototype instead. */
export function setMember<T>(target: { [member: string]: T }, name: string, value: T): void {
  if (name === '__proto__') {
    Object.defineProperty(target, name, { value, enumerable: true, configurable: true, writable: true });
  } else {
    target[name] = value;
  }
}

const numberToken = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/y;
// A run of string characters that stand for themselves.
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON forbids exactly these characters in strings.
const plainCharacters = /[^"\\\u0000-\u001f]*/y;

const escapes: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};

class JsonReader {
  readonly #text: string;
  readonly #firstLine: number;
  #at = 0;

  constructor(text: string, firstLine: number) {
    this.#text = text;
    this.#firstLine = firstLine;
  }

  document(): JsonValue {
    this.#space();
    const value = this.#value(0);
    this.#space();
    if (this.#at < this.#text.length) throw this.#expected('the end');
    return value;
  }

  #value(depth: number): JsonValue {
    switch (this.#text[this.#at]) {
      case '{':
        return this.#object(depth);
      case '[':
        return this.#array(depth);
      case '"':
        return this.#string();
      case 't':
        return this.#word('true', true);
      case 'f':
        return this.#word('false', false);
      case 'n':
        return this.#word('null', null);
      default:
        return this.#number();
    }
  }

  #object(depth: number): JsonObject {
    this.#enter(depth);
    const object: JsonObject = {};
    if (this.#skip('}')) return object;
    for (;;) {
      if (this.#text[this.#at] !== '"') throw this.#expected('a member name in double quotes');
      const start = this.#at;
      const name = this.#string();
      if (Object.hasOwn(object, name))
        throw this.#error(`member ${JSON.stringify(name)} stands here twice`, start);
      this.#space();
      if (!this.#skip(':')) throw this.#expected("':'");
      setMember(object, name, this.#value(depth + 1));
      this.#space();
      if (this.#skip('}')) return object;
      if (!this.#skip(',')) throw this.#expected("',' or '}'");
    }
  }

  #array(depth: number): JsonValue[] {
    this.#enter(depth);
    const array: JsonValue[] = [];
    if (this.#skip(']')) return array;
    for (;;) {
      array.push(this.#value(depth + 1));
      this.#space();
      if (this.#skip(']')) return array;
      if (!this.#skip(',')) throw this.#expected("',' or ']'");
    }
  }

  #enter(depth: number): void {
    if (depth >= depthLimit) throw this.#error(`nested deeper than ${depthLimit} levels`, this.#at);
    this.#at++;
    this.#space();
  }

  #string(): string {
    const start = this.#at++;
    let out = '';
    for (;;) {
      plainCharacters.lastIndex = this.#at;
      const run = plainCharacters.exec(this.#text)?.[0] ?? '';
      this.#at += run.length;
      const next = this.#text[this.#at];
      if (next === '"') {
        this.#at++;
        return out === '' ? run : out + run;
      }
      if (next === undefined) throw this.#error('this string has no end', start);
      if (next !== '\\') throw this.#error('a control character in a string must be escaped', this.#at);
      out += run + this.#escape();
    }
  }

  #escape(): string {
    const letter = this.#text[this.#at + 1] ?? '';
    if (letter === 'u') {
      const digits = this.#text.slice(this.#at + 2, this.#at + 6);
      if (!/^[0-9a-fA-F]{4}$/.test(digits)) throw this.#error('\\u needs four hex digits', this.#at);
      this.#at += 6;
      return String.fromCharCode(Number.parseInt(digits, 16));
    }
    const character = Object.hasOwn(escapes, letter) ? escapes[letter] : undefined;
    if (character === undefined) throw this.#error('unknown escape in a string', this.#at);
    this.#at += 2;
    return character;
  }

  #number(): number | bigint {
    numberToken.lastIndex = this.#at;
    const match = numberToken.exec(this.#text);
    if (match === null) throw this.#expected('a value');
    const [token, fraction, exponent] = match;
    const next = this.#text[this.#at + token.length];
    if (next !== undefined && /[0-9.eE+-]/.test(next)) {
      throw this.#error('this is not a number as JSON writes it', this.#at);
    }
    const value = Number(token);
    if (fraction === undefined && exponent === undefined && !Number.isSafeInteger(value)) {
      if (token.length > digitLimit)
        throw this.#error(`a number of more than ${digitLimit} digits`, this.#at);
      this.#at += token.length;
      return BigInt(token);
    }
    if (!Number.isFinite(value)) throw this.#error('this number is too large', this.#at);
    this.#at += token.length;
    return value;
  }

  #word<T>(word: string, value: T): T {
    if (!this.#text.startsWith(word, this.#at)) throw this.#expected('a value');
    this.#at += word.length;
    return value;
  }

  #space(): void {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
      this.#at++;
    }
  }

  #skip(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    this.#space();
    return true;
  }

  #expected(what: string): NetkitError {
    const code = this.#text.codePointAt(this.#at);
    const found = code === undefined ? 'the end' : JSON.stringify(String.fromCodePoint(code));
    return this.#error(`expected ${what}, found ${found}`, this.#at);
  }

  #error(problem: string, at: number): NetkitError {
    let line = 0;
    let lineStart = 0;
    for (
      let next = this.#text.indexOf('\n');
      next !== -1 && next < at;
      next = this.#text.indexOf('\n', lineStart)
    ) {
      line++;
      lineStart = next + 1;
    }
    const position = { line: this.#firstLine + line, column: at - lineStart + 1 };
    return new NetkitError('bad-value', `line ${position.line}, column ${position.column}: ${problem}`, {
      details: position,
    });
  }
}

/**
 * Writes plain data as JSON. bigint keeps all its digits, bytes become lower-case hex, `undefined` members are left
 * out (`null` inside arrays), NaN and the infinities become strings, which is how the codecs read them back.
 *
 * @throws TypeError for what is not plain data (functions, symbols, endless nesting): a mistake in netkit itself.
 */
export function toJson(value: unknown, options: ToJsonOptions = {}): string {
  const quote = options.bigints === 'string' ? '"' : '';
  const step = ' '.repeat(options.indent ?? 0);
  const colon = step === '' ? ':' : ': ';

  const list = (parts: string[], open: string, close: string, margin: string): string => {
    if (parts.length === 0) return open + close;
    if (step === '') return `${open}${parts.join(',')}${close}`;
    return `${open}${margin}${step}${parts.join(`,${margin}${step}`)}${margin}${close}`;
  };

  const write = (item: unknown, margin: string, depth: number): string => {
    switch (typeof item) {
      case 'string':
        return JSON.stringify(item);
      case 'bigint':
        return `${quote}${item}${quote}`;
      case 'boolean':
        return item ? 'true' : 'false';
      case 'number':
        return numberText(item);
      case 'undefined':
        return 'null';
      case 'object':
        break;
      default:
        throw new TypeError(`a ${typeof item} has no JSON form`);
    }
    if (item === null) return 'null';
    if (depth > 1000) throw new TypeError('nested too deeply for JSON');
    if (item instanceof Uint8Array)
      return `"${Buffer.from(item.buffer, item.byteOffset, item.length).toString('hex')}"`;
    const inner = margin + step;
    if (Array.isArray(item)) {
      const parts: string[] = [];
      for (const element of item) parts.push(write(element, inner, depth + 1));
      return list(parts, '[', ']', margin);
    }
    const parts: string[] = [];
    for (const [name, member] of Object.entries(item)) {
      if (member !== undefined) parts.push(JSON.stringify(name) + colon + write(member, inner, depth + 1));
    }
    return list(parts, '{', '}', margin);
  };

  return write(value, step === '' ? '' : '\n', 0);
}

function numberText(value: number): string {
  if (Object.is(value, -0)) return '-0';
  return Number.isFinite(value) ? String(value) : `"${value}"`;
}
