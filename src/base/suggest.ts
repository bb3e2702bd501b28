/** The name in `known` that `given` was probably meant to be, or `undefined` when none is close. */
export function closest(given: string, known: Iterable<string>): string | undefined {
  let best: string | undefined;
  // Half of the word wrong is no longer a slip of the finger.
  let bestDistance = Math.max(1, Math.floor(given.length / 2)) + 1;
  for (const name of known) {
    const distance = editDistance(given.toLowerCase(), name.toLowerCase(), bestDistance);
    if (distance < bestDistance) {
      best = name;
      bestDistance = distance;
    }
  }
  return best;
}

/** A hint line for an unknown name: «did you mean 'x'?», or the names there are. */
export function suggestion(given: string, known: Iterable<string>): string | undefined {
  const names = [...known];
  const near = closest(given, names);
  if (near !== undefined) return `did you mean '${near}'?`;
  if (names.length === 0) return undefined;
  return `there is: ${names.slice(0, 12).join(', ')}${names.length > 12 ? ', …' : ''}`;
}

/** Levenshtein distance, given up (as `limit`) once it cannot stay below `limit`. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit;
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1] ? 0 : 1;
      current.push(
        Math.min(
          (previous[column] ?? 0) + 1,
          (current[column - 1] ?? 0) + 1,
          (previous[column - 1] ?? 0) + same,
        ),
      );
    }
    if (Math.min(...current) >= limit) return limit;
    previous = current;
  }
  return previous[b.length] ?? limit;
}
