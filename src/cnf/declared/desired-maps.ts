/** What a document says of maps. */
import { resolve } from 'node:path';
import { refuseUntrusted } from '../../host/trusted-file.js';
import type { StoredEntries } from '../declaration.js';
import { readFrom } from '../entries/from-file.js';
import { readInline } from '../entries/inline.js';
import { reasonAgainstKeeping } from '../entries/map-snapshot.js';
import { EntriesStore } from '../entries/stored-entries.js';
import type { DeclaredMap } from '../manifest/schema.js';
import { fileIdentity, sameFile } from './build-inputs.js';
import type { ConfiguredMaps } from './config.js';
import type { Around, DeclaredSource, DesiredEntries, DesiredMap } from './desired.js';
import type { ResolvedObject } from './object.js';
import type { Problems } from './problems.js';

/** By the maps' names. What is wrong is among the problems. */
export async function desiredMaps(
  { document, folder }: DeclaredSource,
  configured: ConfiguredMaps,
  { spec, sha256 }: Pick<ResolvedObject, 'spec' | 'sha256'>,
  { store, recorded, isRecorded, signal }: Around,
  problems: Problems,
): Promise<Map<string, DesiredMap>> {
  const stored = new EntriesStore(store.directory);
  const isSameObject = recorded?.object.sha256 === sha256;
  const declared = document.spec.maps ?? {};
  const maps = new Map<string, DesiredMap>();
  for (const name of new Set([...Object.keys(configured), ...Object.keys(declared)])) {
    const said: DeclaredMap = declared[name] ?? {};
    const path = ['spec', 'maps', name];
    if (said.keep === true) {
      const against = problems.try(path, () => reasonAgainstKeeping(spec.map(name)));
      if (against !== undefined) problems.add([...path, 'keep'], against);
    }
    const fromConfig = configured[name]?.entries;
    if (fromConfig !== undefined && (said.entries !== undefined || said.from !== undefined))
      problems.add(path, `the entries of '${name}' follow from 'config' already`);
    const inline = said.entries ?? fromConfig;
    const entries =
      said.from !== undefined
        ? await problems.about([...path, 'from'], () =>
            entriesFrom(resolve(folder, said.from ?? ''), recorded?.entries[name]),
          )
        : inline === undefined
          ? undefined
          : problems.try([...path, 'entries'], () => {
              const entries = readInline(spec, name, inline, {
                path: said.entries === undefined ? ['spec', 'config'] : [...path, 'entries'],
              });
              return { from: null, stored: undefined, count: entries.count, entries: () => entries };
            });
    maps.set(name, { keep: said.keep, exact: said.exact === true, entries });

    async function entriesFrom(file: string, known: StoredEntries | undefined): Promise<DesiredEntries> {
      if (isRecorded === true && known !== undefined)
        return {
          from: known.from,
          stored: known.file,
          count: known.count,
          entries: () => stored.read(known.file),
        };
      refuseUntrusted(file, 'file of entries');
      const before = known?.from?.path === file ? sameFile(known.from) : undefined;
      const from = before ?? fileIdentity(file);
      // Another object may mean something else by the same text.
      const last =
        known !== undefined && before !== undefined && isSameObject ? stored.readable(known.file) : undefined;
      if (known !== undefined && last !== undefined)
        return { from, stored: known.file, count: known.count, entries: () => last };
      const entries = await readFrom(spec, name, file, { ...(signal === undefined ? {} : { signal }) });
      return { from, stored: undefined, count: entries.count, entries: () => entries };
    }
  }
  return maps;
}
