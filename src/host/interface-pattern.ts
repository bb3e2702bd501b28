/** Names of interfaces with wildcards, as a shell has them: `veth*`, `eth[0-3]`, `en?`. Pure text. */

/** IFNAMSIZ of linux/if.h, less the NUL. */
const longestName = 15;

/** What one place of a pattern takes. */
type Place =
  | { readonly kind: 'any' }
  | { readonly kind: 'one' }
  | { readonly kind: 'literal'; readonly character: string }
  | {
      readonly kind: 'set';
      readonly isNegated: boolean;
      /** Code points, both ends included. */
      readonly ranges: readonly (readonly [first: number, last: number])[];
    };

/** Whether a text has `*`, `?` or `[` and so stands for any number of interfaces. */
export function isPattern(text: string): boolean {
  return /[*?[]/.test(text);
}

/**
 * Whether an interface of this name is meant: `*` stands for any text, `?` for one character, `[0-3]` for one of a set,
 * `[!0-3]` for one that is not in it; all else, a backslash too, for itself. `*` takes `lo` as well. The time is at most the product of
 * both lengths. False for patterns that {@link patternProblem} objects to.
 */
export function matchesPattern(pattern: string, ifname: string): boolean {
  if (!isPattern(pattern)) return pattern === ifname;
  const places = placesOf(pattern);
  if (typeof places === 'string') return false;
  const characters = [...ifname];
  let place = 0;
  let at = 0;
  // Where to go on when what follows the last `*` does not fit: it alone can take more, those before it need not.
  let star = -1;
  let starAt = 0;
  while (at < characters.length) {
    const wanted = places[place];
    if (wanted?.kind === 'any') {
      star = place++;
      starAt = at;
    } else if (wanted !== undefined && takes(wanted, characters[at] ?? '')) {
      place++;
      at++;
    } else if (star >= 0) {
      place = star + 1;
      at = ++starAt;
    } else {
      return false;
    }
  }
  return places.slice(place).every(({ kind }) => kind === 'any');
}

/** Why no interface can have this name, or one that this pattern takes, as in «NAME PROBLEM»; undefined when one can. */
export function patternProblem(text: string): string | undefined {
  if (text === '') return 'is empty';
  if (text === '.' || text === '..') return 'is no name of an interface';
  const places = isPattern(text)
    ? placesOf(text)
    : [...text].map((character) => ({ kind: 'literal', character }) as const);
  if (typeof places === 'string') return places;
  const literals = places.map((place) => (place.kind === 'literal' ? place.character : ''));
  const wrong = literals.find((character) => /[/:\s\p{Cc}]/u.test(character));
  if (wrong !== undefined) return `has ${named(wrong)}, which no name of an interface has`;
  const others = places.filter(({ kind }) => kind === 'one' || kind === 'set').length;
  const shortest = Buffer.byteLength(literals.join('')) + others;
  return shortest > longestName
    ? `takes at least ${shortest} bytes: names of interfaces have ${longestName} at most`
    : undefined;
}

function takes(place: Place, character: string): boolean {
  if (place.kind === 'literal') return place.character === character;
  if (place.kind !== 'set') return place.kind === 'one';
  const code = character.codePointAt(0) ?? 0;
  return place.ranges.some(([first, last]) => first <= code && code <= last) !== place.isNegated;
}

/** The places of a pattern, or what is wrong with it. */
function placesOf(pattern: string): readonly Place[] | string {
  const characters = [...pattern];
  const places: Place[] = [];
  for (let at = 0; at < characters.length; at++) {
    const character = characters[at] ?? '';
    if (character === '*') places.push({ kind: 'any' });
    else if (character === '?') places.push({ kind: 'one' });
    else if (character !== '[') places.push({ kind: 'literal', character });
    else {
      const end = characters.indexOf(']', at);
      if (end < 0) return "has a '[' without its ']'";
      const set = setOf(characters.slice(at + 1, end));
      if (typeof set === 'string') return set;
      places.push(set);
      at = end;
    }
  }
  return places;
}

/** @param inside what stands between the brackets */
function setOf(inside: readonly string[]): Place | string {
  const isNegated = inside[0] === '!' || inside[0] === '^';
  const members = isNegated ? inside.slice(1) : inside;
  if (members.length === 0) return "has '[]' with nothing in it";
  const ranges: [number, number][] = [];
  for (let at = 0; at < members.length; at++) {
    const first = members[at] ?? '';
    const isRange = members[at + 1] === '-' && at + 2 < members.length;
    const last = isRange ? (members[at + 2] ?? '') : first;
    if (isRange) at += 2;
    const [low, high] = [first.codePointAt(0) ?? 0, last.codePointAt(0) ?? 0];
    if (low > high) return `has '${first}-${last}', whose end comes before its start`;
    ranges.push([low, high]);
  }
  return { kind: 'set', isNegated, ranges };
}

function named(character: string): string {
  if (character === ' ') return 'a space';
  return /[\s\p{Cc}]/u.test(character) ? 'a control character' : `'${character}'`;
}
