/** What format a file of entries has, and by which shape it is read. */
import { NetkitError } from '../base/errors.js';
import { referenceShape } from '../ebpf/entries/references.js';
import type { BpfMap } from '../ebpf/map.js';
import { type EntryFormat, type EntryShape, entryFileEndings, formatOf } from '../obj/entries/index.js';
import type { CommandContext } from './context.js';
import { idOfReferred } from './referred-id.js';

/** The format that a file is said to have, or that its name tells. @throws NetkitError `usage` when neither does */
export function formatFor(path: string | undefined, given: EntryFormat | undefined): EntryFormat {
  if (given !== undefined) return given;
  if (path === undefined || path === '-') return 'ndjson';
  const format = formatOf(path);
  if (format !== undefined) return format;
  throw new NetkitError('usage', `the name '${path}' does not tell a format`, {
    hint: `use --format, or a name that ends in ${entryFileEndings.join(', ')}`,
  });
}

/** The shape by which entries of this map are read from text: with references where the kernel has descriptors. */
export function readingShape(context: CommandContext, map: BpfMap): EntryShape {
  const { refersTo, shape } = map;
  return refersTo === undefined ? shape : referenceShape(shape, idOfReferred(context, refersTo));
}
