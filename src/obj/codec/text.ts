/** The text grammar of composite values: JSON, `a.b=1,c=2`, or a bare first value. */
import { type JsonObject, type JsonValue, parseJson, setMember } from '../../base/json.js';
import { Misfit, shown } from './value.js';

/** Does this text spell members (`a=1`, `a.b=1,c=2`) rather than one bare value? */
const shortForm = /^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*\s*=/;

/**
 * What a text given for a struct, union or array means. A text that is neither JSON nor the short form comes back
 * as it is, spaces and all: the bare value of the first member.
 * @throws Misfit, NetkitError `bad-value` (JSON with its line and column)
 */
export function compositeText(given: string): JsonValue {
  const text = given.trim();
  if (/^[[{"]/.test(text)) return parseJson(text);
  return shortForm.test(text) ? membersFrom(text) : given;
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
