/** The type of the records of a ring buffer or perf event array: such maps have none of their own. */
import { NetkitError } from '../../base/errors.js';
import { suggestion } from '../../base/suggest.js';
import { kernelBtf } from '../../ebpf/kernel-btf.js';
import type { BpfMap } from '../../ebpf/map.js';
import { Program } from '../../ebpf/program.js';
import { missingFor } from '../../host/capabilities.js';
import type { BtfGraph, BtfType } from '../../obj/btf/types.js';
import { type Codec, codecFor, codecForWord } from '../../obj/codec/index.js';
import { eventTypes } from '../../obj/event-type.js';
import type { CommandContext } from '../context.js';
import { objectFile } from '../object-file.js';
import { storedObject } from '../stored-types.js';

export interface RecordTypeOptions {
  /** `struct event`, `event_t`, `u64` */
  readonly type?: string | undefined;
  /** An object file that has it. */
  readonly types?: string | undefined;
}

/** Where C types come from. */
interface TypeSource {
  readonly btf: BtfGraph;
  /** For messages. */
  readonly name: string;
  /** The map's whole name, which the kernel may have cut. */
  readonly mapName: string;
}

/**
 * The codec of a map's records; undefined where nothing tells a type.
 * @throws NetkitError `usage` when more than one type may be meant, or the word is none; `not-found` for an unknown type
 */
export async function recordCodec(
  context: CommandContext,
  reference: string,
  map: BpfMap,
  { type: word, types }: RecordTypeOptions,
): Promise<Codec | undefined> {
  const source = await typeSource(context, reference, map, types);
  const type = word === undefined ? clearType(source) : namedType(source, word);
  if (type !== undefined && source !== undefined) return codecFor(source.btf, type.id, { role: 'record' });
  return word === undefined ? undefined : codecForWord(word, { role: 'record' });
}

async function typeSource(
  context: CommandContext,
  reference: string,
  map: BpfMap,
  types: string | undefined,
): Promise<TypeSource | undefined> {
  const stored = await storedObject(context, reference, map);
  const mapName = stored.map?.name ?? map.info.name;
  if (types !== undefined) {
    const { ObjectSpec } = await import('../../obj/spec.js');
    const { btf, path, name } = await ObjectSpec.read(objectFile(types));
    return btf && { btf, name: path ?? name, mapName };
  }
  if (stored.spec?.btf !== undefined) return { btf: stored.spec.btf, name: stored.spec.name, mapName };
  const btf = btfOfUser(map.info.id);
  return btf && { btf, name: 'the program that uses the map', mapName };
}

/** The types of a program that uses a map; undefined where this user may not look for one. */
function btfOfUser(mapId: number): BtfGraph | undefined {
  if (missingFor('enumerate').length > 0) return undefined;
  for (const id of Program.ids()) {
    const btfId = btfIfUsed(id, mapId);
    if (btfId !== undefined) return kernelBtf(btfId);
  }
  return undefined;
}

function btfIfUsed(programId: number, mapId: number): number | undefined {
  try {
    using program = Program.fromId(programId);
    const { mapIds, btfId } = program.info();
    return btfId !== 0 && mapIds.includes(mapId) ? btfId : undefined;
  } catch (error) {
    // Gone since it was listed.
    if (error instanceof NetkitError && error.code === 'not-found') return undefined;
    throw error;
  }
}

function clearType(source: TypeSource | undefined): BtfType | undefined {
  if (source === undefined) return undefined;
  const [only, ...others] = eventTypes(source.btf, source.mapName);
  if (only === undefined || others.length === 0) return only;
  const names = [only, ...others].map(({ id }) => source.btf.nameOf(id));
  throw new NetkitError('usage', `the records of '${source.mapName}' may be ${names.join(' or ')}`, {
    hint: `say which: --type '${names[0]}'`,
    details: { candidates: names },
  });
}

/** @returns undefined for a word that may be one of netkit's own, such as `u32` */
function namedType(source: TypeSource | undefined, word: string): BtfType | undefined {
  const [, kind, tag] = /^(struct|union|enum) (\w+)$/.exec(word) ?? [];
  const isKind = kind === 'struct' || kind === 'union' || kind === 'enum';
  const found = source?.btf.find(tag ?? word, isKind ? kind : 'typedef');
  if (found !== undefined || !isKind) return found;
  if (source === undefined) {
    throw new NetkitError('usage', `'${word}' is a C type: name an object file that has it with --types OBJ`);
  }
  throw new NetkitError('not-found', `${source.name} has no type '${word}'`, {
    hint: suggestion(tag ?? word, namesOf(source.btf, kind)),
  });
}

function namesOf(btf: BtfGraph, kind: string): string[] {
  const types = Array.from({ length: btf.count }, (_, id) => btf.type(id));
  return types.flatMap((type) => (type.kind === kind && type.name !== '' ? [type.name] : []));
}
