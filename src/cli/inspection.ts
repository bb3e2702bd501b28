import { hostIsLittleEndian } from '../base/byte-order.js';
import { NetkitError } from '../base/errors.js';
import { flagWords } from '../ebpf/map-flags.js';
import type { BtfGraph } from '../obj/btf/types.js';
import { type MapPart, mapCodec } from '../obj/map-codecs.js';
import type { GlobalSpec, MapSpec, ObjectSpec, ProgramSpec } from '../obj/spec.js';
import { namedTypes } from './inspect-types.js';
import type { DocumentOf } from './schema/index.js';

/** What `inspect` shows of an object. */
export type Inspection = DocumentOf<'inspect'>;
type MapInfo = Inspection['maps'][number];

/** Bytes of a global variable whose value is shown: an array of a million elements tells nobody anything. */
const largestValue = 4096;

/** Everything that `inspect` tells of an object. @throws NetkitError `bad-object` */
export function inspection(spec: ObjectSpec, file: string): Inspection {
  const { btf } = spec;
  // Sections of globals are maps as well, but what is in them is listed by name.
  const maps = spec.maps.filter(({ kind }) => kind !== 'data');
  return {
    file,
    bytes: spec.bytes.length,
    // Objects of the other byte order are refused.
    endian: hostIsLittleEndian ? 'little' : 'big',
    licence: spec.licence ?? null,
    btf: btf !== undefined,
    programs: spec.programs.map(programInfo),
    maps: maps.map((map) => mapInfo(map, btf)),
    globals: spec.globals.list().map((global) => globalInfo(spec, global)),
    externs: spec.externs.map(({ name, kind, type, weak }) => ({
      name,
      kind,
      type: btf?.nameOf(type) ?? '',
      required: !weak,
    })),
    types: btf === undefined ? [] : namedTypes(btf, usedTypes(maps, spec.globals)),
  };
}

function programInfo(program: ProgramSpec): Inspection['programs'][number] {
  const { name, section, type, attachType, target, instructionCount, autoload, problem } = program;
  return {
    name,
    section,
    type: type === 'unspec' ? null : type,
    attachType: attachType ?? null,
    target: target?.text ?? null,
    instructions: instructionCount,
    autoload,
    problem: problem ?? null,
  };
}

function mapInfo(map: MapSpec, btf: BtfGraph | undefined): MapInfo {
  const { name, type, keySize, valueSize, maxEntries, pinning, keyType, valueType, problem } = map;
  return {
    name,
    type,
    keySize,
    valueSize,
    maxEntries,
    flags: flagWords(map.flags),
    pinned: pinning === 'by-name',
    keyType: typeName(btf, keyType),
    valueType: typeName(btf, valueType),
    keyForm: formOf(map, 'key', btf),
    valueForm: formOf(map, 'value', btf),
    problem: problem ?? null,
  };
}

/** As `map get` and `map update` will take it; `null` where a map has no keys or no values. */
function formOf(map: MapSpec, part: MapPart, btf: BtfGraph | undefined): string | null {
  const id = part === 'key' ? map.keyType : map.valueType;
  if ((part === 'key' ? map.keySize : map.valueSize) === 0) return null;
  return mapCodec(part, map, btf === undefined || id === undefined ? undefined : { btf, id }).describe();
}

function globalInfo({ globals }: ObjectSpec, global: GlobalSpec): Inspection['globals'][number] {
  const { name, typeName: type, size, section, constant } = global;
  const common = { name, type, size, section, readOnly: constant };
  try {
    const value = size > largestValue ? null : globals.get(name);
    return { ...common, value, form: globals.codec(name).describe() };
  } catch (error) {
    if (!(error instanceof NetkitError)) throw error;
    return { ...common, value: null, form: null };
  }
}

function typeName(btf: BtfGraph | undefined, type: number | undefined): string | null {
  return btf === undefined || type === undefined ? null : btf.nameOf(type);
}

function* usedTypes(maps: readonly MapSpec[], globals: Iterable<GlobalSpec>): Generator<number> {
  for (const { kind, keyType, valueType } of maps) {
    // What a table of callbacks is made of, the kernel knows.
    if (kind === 'struct_ops') continue;
    if (keyType !== undefined) yield keyType;
    if (valueType !== undefined) yield valueType;
  }
  for (const { type } of globals) yield type;
}
