/** Records of JSON by way of values: slower than straight from the bytes, and able to say what is wrong where. */
import { NetkitError } from '../../base/errors.js';
import { type JsonObject, type JsonValue, parseJson } from '../../base/json.js';
import type { Value } from '../codec/index.js';
import type { Intake } from './intake.js';
import { nameInJson, placeInJson, segmentsOf } from './json-place.js';

/** The place in the file of an offset, in UTF-16 units, within a record's text. */
export function startOf(start: number, text: string, offset: number): number {
  return start + Buffer.byteLength(text.slice(0, offset));
}

/** @throws NetkitError `bad-value` with the place in the file, also for what is no object */
export function recordOf(intake: Intake, start: number, text: string): JsonObject {
  const record = parsed(intake, start, text);
  if (typeof record === 'object' && record !== null && !Array.isArray(record)) return record;
  throw intake.problem(start, 'an entry must be an object such as {"key":…,"value":…}');
}

/** @throws NetkitError `bad-value` with the place in the file */
export function parsed(intake: Intake, start: number, text: string): JsonValue {
  try {
    return parseJson(text);
  } catch (error) {
    if (!(error instanceof NetkitError)) throw error;
    const { line, column } = error.details;
    if (typeof line !== 'number' || typeof column !== 'number') throw error;
    const offset = text.split('\n', line - 1).reduce((sum, each) => sum + each.length + 1, 0) + column - 1;
    const problem = error.message.replace(/^line [0-9]+, column [0-9]+: /, '');
    throw intake.problem(startOf(start, text, offset), problem);
  }
}

/** What to throw for a codec's error: one with the place in the file of the member that it names. */
export function misplaced(
  intake: Intake,
  start: number,
  text: string,
  path: readonly (string | number)[],
  error: unknown,
): unknown {
  if (!(error instanceof NetkitError)) return error;
  const named = typeof error.details.path === 'string' ? error.details.path : '';
  const inner = segmentsOf(named.replace(/^[^.[]+/, ''));
  const value = placeInJson(text, [...path, ...inner]);
  // A member that does not exist stands somewhere in the struct which the path leads to.
  const unknown = / has no member '(.+?)'$/.exec(error.message)?.[1];
  const at = startOf(start, text, unknown === undefined ? value : nameInJson(text, unknown, value));
  return intake.problem(at, error.message, { hint: error.hint, details: error.details });
}

/** JSON as the codecs take it, which know no null. @throws NetkitError `bad-value` */
export function checkedValue(given: JsonValue | undefined, path: readonly (string | number)[]): Value {
  if (isValue(given)) return given;
  throw new NetkitError('bad-value', `${path[0]}: null is not a value`);
}

function isValue(given: JsonValue | undefined): given is Value {
  if (given === null || given === undefined) return false;
  if (typeof given !== 'object') return true;
  return Array.isArray(given) ? given.every(isValue) : Object.values(given).every(isValue);
}
