import type { Row } from './table/index.js';

/** A command as one would type it. */
export function commandText(row: Row, rest: readonly string[]): string {
  return ['netkit', row.name, ...rest.map(quoted)].join(' ');
}

/** A word as one would type it in a shell. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
