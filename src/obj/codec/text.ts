/** The text grammar of composite values (JSON, `a.b=1,c=2`, a bare first value) and character arrays. */
import { type JsonObject, type JsonValue, parseJson, setMember } from '../../base/json.js';
import { bytesAt, type Form, hexOf, isHex, Misfit, shown, writeHex } from './value.js';

/** Does this text spell members (`a=1`, `a.b=1,c=2`) rather than one bare value? */
const shortForm = /^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*\s*=/;

/**
 * What a text given for a struct, union or array means. A text that is neither JSON nor the short form comes back
 * as it is: the bare value of the first member.
 * @throws Misfit, NetkitError `bad-value` (JSON with its line and column)
 */
export function compositeText(given: string): JsonValue {
  const text = given.trim();
  if (/^[[{"]/.test(text)) return parseJson(text);
  return shortForm.test(text) ? membersFrom(text) : text;
}

function membersFrom(text: string): JsonObject {
  const members: JsonObject = {};
  for (const assignment of splitAtCommas(text)) {
    if (!shortForm.test(assignment)) {
      throw new Misfit(
        `${shown(assignment)} is not an assignment such as a=1 (commas separate them; JSON works too)`,
      );
    }
    const equals = assignment.indexOf('=');
    const path = assignment.slice(0, equals).trim();
    const valueText = assignment.slice(equals + 1).trim();
    assign(members, path, /^[[{"]/.test(valueText) ? parseJson(valueText) : valueText);
  }
  return members;
}

/** Nesting goes as deep as the names do; the types refuse what is deeper than they are. */
function assign(members: JsonObject, path: string, value: JsonValue): void {
  const names = path.split('.');
  const last = names.pop() ?? '';
  let target = members;
  for (const name of names) {
    const inner = Object.hasOwn(target, name) ? target[name] : undefined;
    if (inner === undefined) {
      const created: JsonObject = {};
      setMember(target, name, created);
      target = created;
    } else if (typeof inner === 'object' && inner !== null && !Array.isArray(inner)) {
      target = inner;
    } else {
      throw new Misfit(`${path} is given as a whole and by member`);
    }
  }
  if (Object.hasOwn(target, last)) throw new Misfit(`${path} is given twice`);
  setMember(target, last, value);
}

/** Splits at the commas that stand outside brackets and quotes. */
function splitAtCommas(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let quoted = false;
  let start = 0;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (quoted) {
      if (character === '\\') at++;
      else if (character === '"') quoted = false;
    } else if (character === '"') quoted = true;
    else if (character === '{' || character === '[') depth++;
    else if (character === '}' || character === ']') depth--;
    else if (character === ',' && depth <= 0) {
      parts.push(text.slice(start, at).trim());
      start = at + 1;
    }
  }
  parts.push(text.slice(start).trim());
  return parts;
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();
/** Control characters (a terminal would obey them) and line separators (a value is one line). */
const unprintable = /[\p{Cc}\u2028\u2029]/u;

/**
 * Character arrays: text up to the first NUL. Bytes that are not printable UTF-8, or that go on after the NUL, or a
 * text that itself starts with `hex:`, are shown as `hex:…` of the whole array.
 */
export function charactersForm(size: number, typeName: string): Form {
  return {
    size,
    typeName,
    read: (view, offset) => charactersOf(bytesAt(view, offset, size)),
    write: (view, offset, value) => {
      if (typeof value !== 'string') throw new Misfit(`${shown(value)} is not text (${typeName})`);
      if (isHex(value)) {
        writeHex(view, offset, size, value, typeName);
        return;
      }
      if (value.includes('\0') || /\p{Cs}/u.test(value)) {
        throw new Misfit(`${shown(value)} holds characters that text cannot have; write it as hex:…`);
      }
      const bytes = encoder.encode(value);
      if (bytes.length > size) {
        throw new Misfit(`${shown(value)} has ${bytes.length} bytes, ${typeName} takes at most ${size}`);
      }
      bytesAt(view, offset, size).set(bytes);
    },
    describe: () => `text (${size} bytes)`,
  };
}

function charactersOf(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  const used = end < 0 ? bytes : bytes.subarray(0, end);
  if (end < 0 || bytes.subarray(end).every((byte) => byte === 0)) {
    const text = utf8(used);
    if (text !== undefined && !unprintable.test(text) && !isHex(text.trim())) return text;
  }
  return `hex:${hexOf(bytes)}`;
}

function utf8(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}
