import { ByteReader } from '../base/bytes.js';
import { NetkitError } from '../base/errors.js';
import { mapTypes } from '../base/kernel-words.js';
import type { BtfGraph } from './btf/types.js';
import type { ElfFile, ElfSection, ElfSymbol } from './elf.js';
import { sectionTypes, symbolTypes } from './elf.js';
import type { ExternSpec } from './externs.js';
import { kconfigSize } from './externs.js';
import type { MapDefinition, MapTypeWord } from './map-definition.js';
import { readMapDefinition, undefinedMap } from './map-definition.js';
import { placedVariables, sectionType } from './variables.js';

export type { MapTypeWord } from './map-definition.js';

/** A map that an object brings along. */
export interface MapSpec extends MapDefinition {
  /** The variable's name; for a data map its section: `.rodata`, `.bss`. */
  readonly name: string;
  /** What the kernel lists it as: at most 15 characters. */
  readonly kernelName: string;
  /**
   * `declared` in `.maps`; `data`: a section of global variables; `struct_ops`: a table of kernel callbacks, whose size
   * only the kernel knows; `legacy`: as loaders before libbpf 1.0 wrote it.
   */
  readonly kind: 'declared' | 'data' | 'struct_ops' | 'legacy';
  readonly section: string;
  readonly type: MapTypeWord;
  /** Of a map of maps or programs: what the object puts into which slot. */
  readonly initial: readonly { readonly index: number; readonly symbol: string }[];
  /** Why it cannot be loaded, where the file alone tells. */
  readonly problem: string | undefined;
}

/** The kernel's limit on names, without the NUL. */
const longestName = 15;
const readOnlyForPrograms = 0x80;
const mappable = 0x400;
const pointerSize = 8;
/** The kernel allows no larger value. */
const largestValue = 0x7fff_ffff;

/**
 * The maps of an object: those in `.maps`, then the sections of global variables, then the rest.
 * @param objectName names the data maps, see {@link internalMapName}
 * @throws NetkitError `bad-object`
 */
export function readMaps(
  elf: ElfFile,
  btf: BtfGraph | undefined,
  objectName: string,
  externs: readonly ExternSpec[],
): MapSpec[] {
  return [
    ...declaredMaps(elf, btf),
    ...dataMaps(elf, btf, objectName),
    ...kconfigMap(objectName, kconfigSize(btf, externs)),
    ...structOpsMaps(elf, btf),
    ...legacyMaps(elf),
  ];
}

/**
 * libbpf's name for the map of a data section, as bpftool and the kernel show it: the object's name, shortened, and the
 * section. Sections with a dot of their own, such as `.rodata.config`, go without the object's name.
 */
export function internalMapName(objectName: string, section: string): string {
  const suffixLength = Math.min(Math.max(7, section.length), longestName);
  const isCustom = section.indexOf('.', 1) >= 0;
  const prefix = isCustom ? '' : objectName.slice(0, longestName - suffixLength);
  return (prefix + section.slice(0, suffixLength)).replaceAll(/[^A-Za-z0-9_.]/g, '_');
}

/** Under which name a function's map is pinned and listed: the declared one, or the kernel's for a section of globals. */
export function listedMapName(map: Pick<MapSpec, 'name' | 'kind'>, functionName: string): string {
  if (map.kind !== 'data') return map.name;
  // libbpf gives such a section's map the section's name, whole; `internalMapName` cuts it for the kernel.
  const isCustom = map.name.indexOf('.', 1) >= 0;
  return isCustom ? map.name : internalMapName(functionName, map.name);
}

/**
 * The sections of which libbpf makes maps of global variables.
 * @throws NetkitError `bad-object` when two have one name, since it is by the name that their variables are known
 */
export function dataSections(elf: ElfFile): ElfSection[] {
  return distinct(
    elf.sections.filter(({ name, type, size }) => {
      if (size === 0) return false;
      if (name === '.bss') return type === sectionTypes.noBits;
      return /^\.(ro)?data(\.|$)/.test(name) && type === sectionTypes.programBits;
    }),
  );
}

function distinct(sections: ElfSection[]): ElfSection[] {
  const names = new Set<string>();
  for (const { name } of sections) {
    if (names.has(name)) throw bad(`there are two sections ${name}`);
    names.add(name);
  }
  return sections;
}

function declaredMaps(elf: ElfFile, btf: BtfGraph | undefined): MapSpec[] {
  const section = elf.section('.maps');
  if (section === undefined || section.size === 0) return [];
  const finish = (name: string, definition: MapDefinition, initial: MapSpec['initial']): MapSpec => ({
    ...definition,
    name,
    kernelName: name.slice(0, longestName),
    kind: 'declared',
    section: section.name,
    initial,
  });
  if (btf === undefined) {
    return objectsIn(elf, section).map(({ name }) =>
      finish(name, undefinedMap('its definition is in the BTF, which this object lacks'), []),
    );
  }
  const variables = placedVariables(elf, btf, section);
  if (variables.length === 0) throw bad('section .maps is not empty, but the BTF describes no map in it');
  const relocations = elf.relocations(section).sort((one, other) => one.offset - other.offset);
  let next = 0;
  return variables.map((variable, at) => {
    const definition = readMapDefinition(btf, variable.type, variable.name);
    const end = variables[at + 1]?.offset ?? section.size;
    const firstSlot = variable.offset + (definition.valuesOffset ?? Number.POSITIVE_INFINITY);
    const initial: { index: number; symbol: string }[] = [];
    for (
      let entry = relocations[next];
      entry !== undefined && entry.offset < end;
      entry = relocations[++next]
    ) {
      if (entry.offset < firstSlot) continue;
      initial.push({
        index: Math.floor((entry.offset - firstSlot) / pointerSize),
        symbol: entry.symbol.name,
      });
    }
    const problem = variable.exported
      ? definition.problem
      : 'its variable is static, which libbpf does not allow';
    return finish(variable.name, { ...definition, problem }, initial);
  });
}

function dataMaps(elf: ElfFile, btf: BtfGraph | undefined, objectName: string): MapSpec[] {
  return dataSections(elf).map((section) => {
    if (section.size > largestValue) throw bad(`section ${section.name} is larger than a map's value can be`);
    const exports =
      btf === undefined ? [] : placedVariables(elf, btf, section).filter(({ exported }) => exported);
    const flags = section.name.startsWith('.rodata') ? readOnlyForPrograms : 0;
    return dataMap(objectName, section.name, {
      size: section.size,
      valueType: sectionType(btf, section.name)?.id,
      // libbpf shares a section with the process only where a variable can be seen from outside.
      flags: exports.length > 0 ? flags | mappable : flags,
    });
  });
}

function kconfigMap(objectName: string, size: number): MapSpec[] {
  if (size === 0) return [];
  return [dataMap(objectName, '.kconfig', { size, valueType: undefined, flags: readOnlyForPrograms })];
}

function dataMap(
  objectName: string,
  section: string,
  { size, valueType, flags }: { size: number; valueType: number | undefined; flags: number },
): MapSpec {
  return {
    ...undefinedMap(''),
    problem: undefined,
    type: 'array',
    keySize: 4,
    valueSize: size,
    maxEntries: 1,
    flags,
    valueType,
    name: section,
    kernelName: internalMapName(objectName, section),
    kind: 'data',
    section,
    initial: [],
  };
}

function structOpsMaps(elf: ElfFile, btf: BtfGraph | undefined): MapSpec[] {
  const sections = elf.sections.filter(
    ({ name, size }) => /^\??\.struct_ops(\.link)?$/.test(name) && size > 0,
  );
  return distinct(sections).flatMap((section) => {
    if (btf === undefined) throw bad(`section ${section.name} needs BTF, which this object lacks`);
    return placedVariables(elf, btf, section).map(
      ({ name, type }): MapSpec => ({
        ...undefinedMap(''),
        problem: undefined,
        type: 'struct_ops',
        keySize: 4,
        valueSize: btf.sizeOf(type),
        maxEntries: 1,
        valueType: type,
        name,
        kernelName: name.slice(0, longestName),
        kind: 'struct_ops',
        section: section.name,
        initial: [],
      }),
    );
  });
}

function legacyMaps(elf: ElfFile): MapSpec[] {
  const section = elf.section('maps');
  if (section === undefined) return [];
  return objectsIn(elf, section).map((symbol): MapSpec => {
    // type, key size, value size, entries and flags; some loaders of that time went on with fields of their own.
    const fields = [0, 0, 0, 0, 0];
    const reader = new ByteReader(section.data, { littleEndian: elf.littleEndian, what: 'section maps' });
    const known = Math.min(fields.length, Math.floor(symbol.size / 4));
    reader.seek(symbol.value);
    for (let field = 0; field < known; field++) fields[field] = reader.u32();
    const [type = 0, keySize = 0, valueSize = 0, maxEntries = 0, flags = 0] = fields;
    return {
      ...undefinedMap(
        'it is declared in SEC("maps"), which libbpf 1.0 and newer refuse; declare it in SEC(".maps")',
      ),
      type: mapTypes[type] ?? 'unspec',
      keySize,
      valueSize,
      maxEntries,
      flags,
      name: symbol.name,
      kernelName: symbol.name.slice(0, longestName),
      kind: 'legacy',
      section: section.name,
      initial: [],
    };
  });
}

function objectsIn(elf: ElfFile, section: ElfSection): ElfSymbol[] {
  return elf
    .symbolsIn(section)
    .filter(({ type, name }) => (type === symbolTypes.object || type === symbolTypes.none) && name !== '')
    .toSorted((a, b) => a.value - b.value);
}

function bad(message: string): NetkitError {
  return new NetkitError('bad-object', message);
}
