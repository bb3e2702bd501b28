/** Bringing declared entries into a map, as an action and the work that goes with it. */
import { BpfMap } from '../../ebpf/map.js';
import type { WriteEntries } from '../action.js';
import type { EntryChanges } from '../entries/merge.js';
import { oldEntriesOf } from '../entries/old-entries.js';
import { writeChanges } from '../entries/write-changes.js';
import type { DeclaredWork } from '../perform.js';

/**
 * @param pin of the map
 * @param isUsed whether programs run with it: then what was there is kept for undoing
 */
export function entryWrite(
  functionName: string,
  pin: string,
  changes: EntryChanges,
  isUsed: boolean,
): { readonly action: WriteEntries; readonly work: DeclaredWork } {
  const action: WriteEntries = {
    kind: 'write-entries',
    function: functionName,
    map: pin,
    ...changes.counts,
    old: isUsed ? oldEntriesOf(changes) : null,
  };
  return {
    action,
    work: {
      bytesOf: noFiles,
      async write(path, signal) {
        using map = BpfMap.fromPin(path);
        await writeChanges(map, changes, signal === undefined ? {} : { signal });
      },
    },
  };
}

/** The work of storing files of entries. */
export function storingWork(files: ReadonlyMap<string, Uint8Array>): DeclaredWork {
  return {
    bytesOf: (file) => files.get(file) ?? noFiles(file),
    write: (map) => {
      throw new TypeError(`nothing is to be written into ${map}`);
    },
  };
}

function noFiles(file: string): never {
  throw new TypeError(`nobody has the contents of ${file}`);
}
