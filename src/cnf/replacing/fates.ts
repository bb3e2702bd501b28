/** What becomes of each map when another object takes a function's place. Looks at the kernel, and changes nothing. */
import { NetkitError } from '../../base/errors.js';
import { type MigrationSide, planMigration } from '../../ebpf/entries/migration.js';
import { layoutOf } from '../../ebpf/map-kinds.js';
import { compareTypes } from '../../obj/btf/compare.js';
import { referenceTypes } from '../../obj/map-codecs.js';
import { reasonAgainst } from '../../obj/map-operations.js';
import { listedMapName, type MapSpec } from '../../obj/maps.js';
import type { ObjectSpec } from '../../obj/spec.js';
import { differencesOf, givenEntries } from './definition.js';
import { declaredPart, type OldMap, oldPart } from './old-maps.js';

/**
 * `kept`: the same map. `reused`: one that was named. `migrated`: a new map with the entries of the old one. `refilled`: a
 * new table of programs with the new ones in place of the old. `new`: it begins as the object has it. `gone`: the new object
 * has none of the name.
 */
export type MapFate = 'kept' | 'reused' | 'migrated' | 'refilled' | 'new' | 'gone';

export interface PlannedMap {
  /** As it is pinned and listed. */
  readonly name: string;
  /** The kernel's word. */
  readonly type: string;
  readonly fate: MapFate;
  /** Why, where that is not plain. */
  readonly reason: string | null;
  /** For one that is migrated. */
  readonly sides?: { readonly from: MigrationSide; readonly to: MigrationSide };
  /** Of a table of programs: the slots that the object fills. */
  readonly filled?: ReadonlySet<number>;
}

export interface Succeeding {
  readonly function: string;
  /** The new object, with its choices. */
  readonly spec: ObjectSpec;
  /** The one that is loaded, with its choices; undefined when it is not kept any more. */
  readonly oldSpec: ObjectSpec | undefined;
  readonly old: ReadonlyMap<string, OldMap>;
  /** Maps that are told to begin empty, by the object's names. */
  readonly newMaps: ReadonlySet<string>;
  /** Maps that take the place of the object's own, by its names. */
  readonly reuse: Readonly<Record<string, string>>;
  /** Whether the old table of programs of that name has one of the function's own. */
  readonly refersToOwn: (name: string) => boolean;
}

/** @throws NetkitError `conflict` for a map that can be neither kept nor migrated, with what is different */
export function planMaps(around: Succeeding): PlannedMap[] {
  const { spec, old, function: name } = around;
  const fates = new Map<string, PlannedMap>();
  // What a map of maps holds decides on it too.
  const outerLast = [...spec.maps].sort((a, b) => Number(holdsMaps(a)) - Number(holdsMaps(b)));
  for (const map of outerLast) fates.set(listedMapName(map, name), planOne(map, around, fates));
  const inOrder = spec.maps.flatMap((map) => fates.get(listedMapName(map, name)) ?? []);
  const gone = [...old.values()]
    .filter((each) => !fates.has(each.name))
    .map(({ name: left, info }): PlannedMap => {
      return { name: left, type: info.type, fate: 'gone', reason: 'the new object has no such map' };
    });
  return [...inOrder, ...gone];
}

function holdsMaps({ type }: MapSpec): boolean {
  return referenceTypes[type] === 'map';
}

function planOne(map: MapSpec, around: Succeeding, planned: ReadonlyMap<string, PlannedMap>): PlannedMap {
  const name = listedMapName(map, around.function);
  const about = { name, type: map.type };
  const begins = (reason: string | null): PlannedMap => ({ ...about, fate: 'new', reason });
  const old = around.old.get(name);
  if (around.reuse[map.name] !== undefined || around.reuse[name] !== undefined)
    return { ...about, fate: 'reused', reason: `it is ${around.reuse[map.name] ?? around.reuse[name]}` };
  if (around.newMaps.has(map.name) || around.newMaps.has(name))
    return begins(old === undefined ? null : 'it was to be new');
  if (old === undefined) return begins(null);
  if (map.kind === 'data') return planData(map, old, around, begins);
  if (map.kind === 'struct_ops') return begins('its table holds programs, which are new');
  if (map.type === 'prog_array' && (map.initial.length > 0 || around.refersToOwn(name)))
    return planPrograms(map, old, around);
  return planDeclared(map, old, around, planned);
}

/**
 * Globals that programs write are kept like a map, as long as the new object means the same by them: the same variables in
 * the same places, beginning with the same values. A value that the object or the command line changes is meant to hold.
 */
function planData(
  map: MapSpec,
  old: OldMap,
  { spec, oldSpec, ...around }: Succeeding,
  begins: (reason: string) => PlannedMap,
): PlannedMap {
  if (!/^\.(data|bss)/.test(map.name)) return begins('constants are fixed when a program is loaded');
  const [from, to] = [declaredPart(oldSpec, old.declared, 'value'), declaredPart(spec, map, 'value')];
  if (oldSpec === undefined || from === undefined || to === undefined)
    return begins('nobody knows what variables are in it');
  for (const { name: variable, section } of spec.globals) {
    if (section !== map.name || !oldSpec.globals.has(variable)) continue;
    if (!Buffer.from(spec.globals.bytes(variable)).equals(oldSpec.globals.bytes(variable)))
      return begins(`'${variable}' begins with another value`);
  }
  const { verdict, differences } = compareTypes(from, to);
  const definition = { ...map, maxEntries: 1 };
  const isSame = differencesOf(definition, old.info, 1).length === 0;
  if (verdict === 'same' && isSame) return { ...keptAs(map, around), reason: null };
  // What is new begins with zeros, as a migrated value does.
  if (verdict !== 'different' && map.name.startsWith('.bss'))
    return migratedAs(map, old, { spec, oldSpec, ...around }, 'variables were added');
  const [first] = differences;
  return begins(
    first === undefined
      ? 'its size or flags are others'
      : `its variables lie differently, from '${first.path}' on`,
  );
}

/** Both versions have a table of their own, so that a packet never gets from the one into the other. */
function planPrograms(map: MapSpec, old: OldMap, around: Succeeding): PlannedMap {
  const { maxEntries } = old.info;
  const entries = givenEntries(around.spec, map);
  if (entries < maxEntries) throw unfit(around, map, [`it has ${maxEntries} slots, not ${entries}`]);
  return {
    ...keptAs(map, around),
    fate: 'refilled',
    reason: 'it gets the new programs in place of the old',
    filled: new Set(map.initial.map(({ index }) => index)),
  };
}

function planDeclared(
  map: MapSpec,
  old: OldMap,
  around: Succeeding,
  planned: ReadonlyMap<string, PlannedMap>,
): PlannedMap {
  const { spec, oldSpec } = around;
  const entries = givenEntries(spec, map);
  const differences = differencesOf(map, old.info, entries, old.declared);
  const parts = (['key', 'value'] as const).every((part) => {
    const [from, to] = [oldPart(old, oldSpec, part), declaredPart(spec, map, part)];
    return from === undefined || to === undefined || compareTypes(from, to).verdict === 'same';
  });
  const replaced = map.initial.find(({ symbol }) => {
    const fate = planned.get(symbol)?.fate;
    return holdsMaps(map) && fate !== 'kept';
  });
  if (replaced !== undefined)
    throw unfit(around, map, [`the object puts '${replaced.symbol}' into it, which is another map`]);
  if (differences.length === 0 && parts) return { ...keptAs(map, around), reason: null };
  const against =
    referenceTypes[map.type] !== undefined
      ? 'its entries refer to maps or programs'
      : (reasonAgainst(old.info.type, 'dump') ?? reasonAgainst(map.type, 'update') ?? openFiles(map.type));
  if (against !== undefined)
    throw unfit(around, map, [...differences, `its entries cannot be taken over: ${against}`]);
  return migratedAs(map, old, around, differences.join(', ') || 'its type is another');
}

function openFiles(type: string): string | undefined {
  return /^(sock(map|hash)|xskmap|reuseport_sockarray|cgroup_array|perf_event_array|(dev|cpu)map(_hash)?)$/.test(
    type,
  )
    ? 'they are what the kernel holds open'
    : undefined;
}

function keptAs(map: MapSpec, { function: name }: Pick<Succeeding, 'function'>): PlannedMap {
  return { name: listedMapName(map, name), type: map.type, fate: 'kept', reason: null };
}

function migratedAs(map: MapSpec, old: OldMap, around: Succeeding, reason: string): PlannedMap {
  const sides = { from: oldSide(old, around), to: newSide(map, around) };
  try {
    planMigration(sides.from, sides.to);
  } catch (error) {
    if (!(error instanceof NetkitError) || error.code !== 'conflict') throw error;
    const list = [error.message.replace(/^entries of .* do not fit into .*?: /, ''), error.hint ?? ''];
    throw unfit(
      around,
      map,
      list.filter((text) => text !== ''),
      error,
    );
  }
  return { ...keptAs(map, around), fate: 'migrated', reason, sides };
}

function unfit(
  { function: name }: Succeeding,
  map: MapSpec,
  differences: readonly string[],
  cause?: NetkitError,
): NetkitError {
  return new NetkitError(
    'conflict',
    `map '${map.name}' can be neither kept nor migrated: ${differences.join('; ')}`,
    {
      hint: `'--new-map ${map.name}' has it begin empty; '--reuse ${map.name}=${name}/${map.name}' keeps one of the same sizes`,
      details: {
        map: map.name,
        differences: cause?.details['differences'] ?? differences.map((about) => ({ about })),
      },
      cause,
    },
  );
}

function oldSide(old: OldMap, { oldSpec, function: name }: Succeeding): MigrationSide {
  const { info } = old;
  return {
    name: `${name}/${old.name}`,
    type: info.type,
    maxEntries: info.maxEntries,
    keySize: info.keySize,
    valueSize: info.valueSize,
    shape: layoutOf(info),
    key: oldPart(old, oldSpec, 'key'),
    value: oldPart(old, oldSpec, 'value'),
  };
}

function newSide(map: MapSpec, { spec, function: name }: Succeeding): MigrationSide {
  const { type, keySize, valueSize } = map;
  return {
    name: `the new ${name}/${listedMapName(map, name)}`,
    type,
    maxEntries: givenEntries(spec, map),
    keySize,
    valueSize,
    shape: layoutOf({ type, keySize, valueSize }),
    key: declaredPart(spec, map, 'key'),
    value: declaredPart(spec, map, 'value'),
  };
}
