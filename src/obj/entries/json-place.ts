/** Where a member stands in JSON text, for errors that know it by its path. */

/** `.limits[2].rate` as the names and indices on the way. */
export function segmentsOf(path: string): (string | number)[] {
  return [...path.matchAll(/\.([^.[\]]+)|\[([0-9]+)\]/g)].map(([, name, index]) => name ?? Number(index));
}

/**
 * Offset of the value that a path leads to, in text that `parseJson` accepts; of the last one on the way that is there
 * where the path leads into a string (a short form) or to something left out.
 */
export function placeInJson(text: string, path: readonly (string | number)[]): number {
  let at = skipSpace(text, 0);
  for (const segment of path) {
    const next = typeof segment === 'string' ? findMember(text, at, segment) : findElement(text, at, segment);
    if (next === undefined) break;
    at = next;
  }
  return at;
}

/** Offset of a member's name in the object that begins at `start`, in text that `parseJson` accepts. */
export function nameInJson(text: string, name: string, start = skipSpace(text, 0)): number {
  return findMember(text, start, name, true) ?? start;
}

function findMember(text: string, start: number, name: string, ofName = false): number | undefined {
  if (text[start] !== '{') return undefined;
  let at = skipSpace(text, start + 1);
  while (text[at] === '"') {
    const behind = skipValue(text, at);
    const value = skipSpace(text, skipSpace(text, behind) + 1);
    if (JSON.parse(text.slice(at, behind)) === name) return ofName ? at : value;
    at = skipSpace(text, skipValue(text, value));
    if (text[at] === ',') at = skipSpace(text, at + 1);
  }
  return undefined;
}

function findElement(text: string, start: number, index: number): number | undefined {
  if (text[start] !== '[') return undefined;
  let at = skipSpace(text, start + 1);
  for (let left = index; left > 0 && at < text.length && text[at] !== ']'; left--) {
    at = skipSpace(text, skipValue(text, at));
    if (text[at] === ',') at = skipSpace(text, at + 1);
  }
  return at;
}

function skipSpace(text: string, start: number): number {
  let at = start;
  while (at < text.length && ' \n\r\t'.includes(text[at] ?? 'x')) at++;
  return at;
}

function skipValue(text: string, start: number): number {
  let depth = 0;
  let at = start;
  while (at < text.length) {
    const character = text[at] ?? '';
    if (character === '"') {
      at++;
      while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
    } else if (character === '{' || character === '[') {
      depth++;
    } else if (character === '}' || character === ']') {
      depth--;
    } else if (depth === 0) {
      while (at + 1 < text.length && !',]} \n\r\t'.includes(text[at + 1] ?? ',')) at++;
    }
    at++;
    if (depth === 0) return at;
  }
  return at;
}
