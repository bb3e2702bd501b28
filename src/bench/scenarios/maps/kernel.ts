/** What a program pays for an entry, inside the kernel. */
import type { Scope } from '../../../base/scope.js';
import { load } from '../../../ebpf/load.js';
import type { Program } from '../../../ebpf/program.js';
import type { EntryBatch } from '../../../obj/entries/batch.js';
import { benchObject } from '../../lab/bench-object.js';
import { type MeasuredType, roomFor } from './fixture.js';

/** `ROUNDS` of bpf/bench/maps.bpf.c. */
export const roundsInARun = 64;

/** A program that looks up or updates so many entries in a run; of type `nothing` it does all but that. */
export function accessProgram(
  operation: 'lookup' | 'update',
  type: MeasuredType | 'nothing',
  entries: EntryBatch,
  scope: Scope,
): Program {
  const spec = benchObject('maps');
  const name = `${operation}_${type}`;
  spec.only([name]);
  spec.globals.set('entries', String(entries.count));
  if (type !== 'nothing') spec.setMapSize(`map_${type}`, roomFor(type, entries.count));
  const object = scope.use(load(spec));
  if (type !== 'nothing') object.maps.get(`map_${type}`)?.writeBatch(entries);
  return object.program(name);
}
