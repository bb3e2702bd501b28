/** The forms that entries have in files. */

export type EntryFormat = 'json' | 'ndjson' | 'csv' | 'snapshot';

const formats: ReadonlyMap<string, EntryFormat> = new Map([
  ['json', 'json'],
  ['ndjson', 'ndjson'],
  ['jsonl', 'ndjson'],
  ['csv', 'csv'],
  ['nkmap', 'snapshot'],
]);

/** Every ending that `formatOf` knows, with its dot, for help and completion. */
export const entryFileEndings: readonly string[] = [...formats.keys()].map((ending) => `.${ending}`);

/** The format that a file's name asks for: `.json`, `.ndjson` or `.jsonl`, `.csv`, `.nkmap`; undefined for other names. */
export function formatOf(path: string): EntryFormat | undefined {
  const ending = /\.([A-Za-z0-9]+)$/.exec(path)?.[1];
  return ending === undefined ? undefined : formats.get(ending.toLowerCase());
}
