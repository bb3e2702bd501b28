/**
 * The files that an object depends on, from the rule that `clang -MMD` writes for make: `object: source header …`, with
 * backslashes before line ends, spaces and `#`, and `$$` for `$`.
 */
export function parseDependencies(rule: string): string[] {
  const joined = rule.replaceAll(/\\\r?\n/g, ' ');
  const colon = joined.indexOf(': ');
  if (colon < 0) return [];
  const [line = ''] = joined.slice(colon + 2).split('\n');
  const words = line.match(/(?:\\[ #\\]|[^\s])+/g) ?? [];
  return words.map((word) => word.replaceAll(/\\([ #])/g, '$1').replaceAll('$$', '$'));
}
