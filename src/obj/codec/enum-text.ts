/** The text of enums and bool: words known beforehand, as bytes. */
import { csvBytes, utf8Bytes } from './csv-field.js';
import { putBytes } from './digits.js';
import type { IntegerStorage } from './integer.js';
import { integerText } from './integer-text.js';
import {
  endOfField,
  notPlain,
  type Put,
  plainText,
  type Take,
  type TextForm,
  takeBytes,
} from './text-form.js';
import { isHex } from './value.js';

/** A word in both notations. */
interface Word {
  readonly json: Uint8Array;
  readonly csv: Uint8Array;
}

const quote = 0x22;

/**
 * @param names enumerators that are shown, by the number that storage loads for them: bigint above 32 bits.
 * @param values enumerators that are taken.
 */
export function enumText(
  storage: IntegerStorage,
  signed: boolean,
  names: ReadonlyMap<number | bigint, string>,
  values: ReadonlyMap<string, bigint>,
): TextForm {
  const numbers = integerText(storage, signed);
  const shown = new Map([...names].map(([raw, name]) => [raw, wordOf(name)]));
  const longest = (form: keyof Word) => Math.max(0, ...[...shown.values()].map((word) => word[form].length));
  const find = wordFinder(storage, shown);
  const json = wordTaker(storage, values, 'json');
  const csv = wordTaker(storage, values, 'csv');
  return {
    jsonLimit: Math.max(numbers.jsonLimit, longest('json')),
    putJson: putWord(find, 'json', numbers.putJson),
    takeJson: (bytes, at, end, view, offset, source) =>
      at < end && bytes[at] === quote && isWordStart(bytes[at + 1])
        ? json(bytes, at, end, view, offset, source)
        : numbers.takeJson(bytes, at, end, view, offset, source),
    csvLimit: Math.max(numbers.csvLimit, longest('csv')),
    putCsv: putWord(find, 'csv', numbers.putCsv),
    takeCsv: (bytes, at, end, view, offset, source) => {
      if (at >= end || !isWordStart(bytes[at])) return numbers.takeCsv(bytes, at, end, view, offset, source);
      const next = csv(bytes, at, end, view, offset, source);
      return next < 0 ? notPlain : endOfField(bytes, next, end);
    },
  };
}

function wordOf(name: string): Word {
  return { json: utf8Bytes(JSON.stringify(name)), csv: csvBytes(name) };
}

function isWordStart(byte: number | undefined): boolean {
  return byte !== undefined && ((byte | 0x20) >= 0x61 ? (byte | 0x20) <= 0x7a : byte === 0x5f);
}

type FindWord = (view: DataView, offset: number) => Word | undefined;

/** Enums are nearly always small numbers, counted from zero. */
function wordFinder(storage: IntegerStorage, shown: ReadonlyMap<number | bigint, Word>): FindWord {
  const { load, halves } = storage;
  const isWide = storage.width > 32;
  const small: (Word | undefined)[] = [];
  for (let raw = 0; raw < 64; raw++) small.push(shown.get(isWide ? BigInt(raw) : raw));
  if (halves !== undefined) {
    return (view, offset) => {
      const low = halves.low(view, offset);
      return low < 64 && halves.high(view, offset) === 0 ? small[low] : shown.get(load(view, offset));
    };
  }
  return (view, offset) => {
    const raw = load(view, offset);
    return typeof raw === 'number' && raw >= 0 && raw < 64 ? small[raw] : shown.get(raw);
  };
}

function putWord(find: FindWord, form: keyof Word, putNumber: Put): Put {
  return (view, offset, data, at, out) => {
    const word = find(view, offset);
    return word === undefined ? putNumber(view, offset, data, at, out) : putBytes(data, at, word[form]);
  };
}

interface Spelling {
  readonly text: Uint8Array;
  readonly raw: bigint;
  /** The lowest 32 bits. */
  readonly number: number;
}

/**
 * Finds the word that stands at `at`. Left out are names that come to `Form.write` as something else: what has spaces
 * around it, and what reads as raw bytes. No compiler writes such names.
 */
function wordTaker(storage: IntegerStorage, values: ReadonlyMap<string, bigint>, form: keyof Word): Take {
  const { narrow, store } = storage;
  const table = new Map<number, Spelling[]>();
  let longest = 0;
  for (const [name, raw] of values) {
    if (name.trim() !== name || isHex(name)) continue;
    const text = wordOf(name)[form];
    const hash = hashOf(text, 0, text.length);
    longest = Math.max(longest, text.length);
    const word = { text, raw, number: Number(BigInt.asUintN(32, raw)) };
    table.set(hash, [...(table.get(hash) ?? []), word]);
  }
  return (bytes, at, end, view, offset) => {
    const next = endOfWord(bytes, at, Math.min(end, at + longest + 1));
    const candidates = table.get(hashOf(bytes, at, next));
    if (candidates === undefined) return notPlain;
    for (const { text, raw, number } of candidates) {
      if (text.length !== next - at || takeBytes(bytes, at, end, text) !== next) continue;
      if (narrow === undefined) store(view, offset, raw);
      else narrow.store(view, offset, number);
      return next;
    }
    return notPlain;
  };
}

/** Behind the quote that ends a word in JSON, before the comma or line end that ends one in CSV. */
function endOfWord(bytes: Uint8Array, at: number, end: number): number {
  const quoted = bytes[at] === quote;
  for (let place = at + 1; place < end; place++) {
    const next = bytes[place] ?? 0;
    if (quoted) {
      if (next === quote) return place + 1;
    } else if (next === 0x2c || next === 0x0a || next === 0x0d) return place;
  }
  return end;
}

function hashOf(bytes: Uint8Array, at: number, end: number): number {
  let hash = 0;
  for (let place = at; place < end; place++) hash = (Math.imul(hash, 31) + (bytes[place] ?? 0)) | 0;
  return hash;
}

const trueText = utf8Bytes('true');
const falseText = utf8Bytes('false');

/** `true` and `false`. */
export function boolText(storage: IntegerStorage): TextForm {
  const { load, store } = storage;
  return plainText({
    limit: falseText.length,
    // Not `=== 0`: wide storage loads bigints.
    put: (view, offset, data, at) =>
      putBytes(data, at, Number(load(view, offset)) !== 0 ? trueText : falseText),
    take: (bytes, at, end, view, offset) => {
      const next = takeBytes(bytes, at, end, trueText);
      if (next < 0) return takeBytes(bytes, at, end, falseText);
      store(view, offset, 1n);
      return next;
    },
  });
}
