/** Which columns the entries of a map have in CSV. */
import type { CodecColumn } from '../codec/index.js';
import type { EntryShape } from './batch.js';

/** Names the CPU that a row's value belongs to. */
export const cpuColumn = 'cpu';

/** One column of a key or value. */
export interface EntryColumn {
  /** A struct as one text, which may leave members out. */
  readonly isWhole?: boolean;
  /** `key`, `value.packets` */
  readonly name: string;
  readonly isKey: boolean;
  readonly codec: CodecColumn;
}

/** The columns of keys and values in the order in which they are written. */
export function entryColumns(shape: EntryShape): EntryColumn[] {
  const column =
    (isKey: boolean) =>
    (codec: CodecColumn): EntryColumn => {
      const part = isKey ? 'key' : 'value';
      return { name: codec.path === '' ? part : `${part}.${codec.path}`, isKey, codec };
    };
  const { key, value } = shape;
  return [...(key?.columns.map(column(true)) ?? []), ...value.columns.map(column(false))];
}

/**
 * The column `key` or `value` of a struct: its whole text in one field, as on the command line (`drop`, `action=drop,tag=7`,
 * JSON). Never written; undefined where that name is a column of its own.
 */
export function wholeColumn(name: string, shape: EntryShape): EntryColumn | undefined {
  const codec = name === 'key' ? shape.key : name === 'value' ? shape.value : undefined;
  if (codec === undefined) return undefined;
  return {
    name,
    isKey: name === 'key',
    isWhole: true,
    codec: {
      path: '',
      csvLimit: 0,
      writeCsv: () => undefined,
      readCsv: () => false,
      encodeText: (text, view, offset) => codec.encodeText(text, view, offset),
      markGiven: (mask, offset) => codec.markGiven(undefined, mask, offset),
    },
  };
}

/** The header without its line end. */
export function headerOf(columns: readonly EntryColumn[], withCpu: boolean): string {
  const names = columns.map(({ name }) => quoted(name));
  const keys = columns.filter(({ isKey }) => isKey).length;
  if (withCpu) names.splice(keys, 0, cpuColumn);
  return names.join(',');
}

function quoted(name: string): string {
  return /[",\r\n]/.test(name) ? `"${name.replaceAll('"', '""')}"` : name;
}
