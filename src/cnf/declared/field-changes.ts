/** What differs between two documents, field by field. */
import { pathText, type Step } from '../manifest/path-text.js';

export type Json = string | number | boolean | null | readonly Json[] | { readonly [member: string]: Json };

/** One field; undefined on the side where it is not there. */
export interface FieldChange {
  /** `spec.maps.blocklist.maxEntries`, `spec.attach[0].priority` */
  readonly path: string;
  readonly from: Json | undefined;
  readonly to: Json | undefined;
}

/**
 * The fields that differ, in the order of the documents; those that are there no more come last. Of what is there on one side
 * only the whole is one change, and so is a list of plain values.
 */
export function fieldChanges(
  from: Json | undefined,
  to: Json | undefined,
  path: readonly Step[] = [],
): FieldChange[] {
  if (from === undefined && to === undefined) return [];
  if (isObject(from) && isObject(to)) {
    const names = new Set([...Object.keys(to), ...Object.keys(from)]);
    return [...names].flatMap((name) => fieldChanges(from[name], to[name], [...path, name]));
  }
  if (isListOfObjects(from) && isListOfObjects(to)) {
    const length = Math.max(from.length, to.length);
    return Array.from({ length }, (_, index) =>
      fieldChanges(from[index], to[index], [...path, index]),
    ).flat();
  }
  return sameJson(from, to) ? [] : [{ path: pathText(path), from, to }];
}

/** Whether both are the same, whatever the order of members. */
export function sameJson(one: Json | undefined, other: Json | undefined): boolean {
  if (Array.isArray(one) && Array.isArray(other))
    return one.length === other.length && one.every((each, index) => sameJson(each, other[index]));
  if (isObject(one) && isObject(other)) {
    const names = Object.keys(one);
    return (
      names.length === Object.keys(other).length &&
      names.every((name) => name in other && sameJson(one[name], other[name]))
    );
  }
  return one === other;
}

/** A value in one line, short enough for a list of changes. */
export function shortJson(value: Json | undefined): string {
  if (value === undefined) return 'nothing';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > longestShown ? `${text.slice(0, longestShown - 1)}…` : text;
}

const longestShown = 60;

type JsonObject = { readonly [member: string]: Json };

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isListOfObjects(value: Json | undefined): value is readonly JsonObject[] {
  return Array.isArray(value) && value.length > 0 && value.every((each) => isObject(each));
}

/** Documents are JSON by their schema. */
export function toJson(document: unknown): Json {
  return JSON.parse(JSON.stringify(document));
}
