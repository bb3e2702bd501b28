/** What a manifest's function comes to on this machine: its object, what is chosen of it, its entries, its places. */
import type { ObjectSpec } from '../../obj/spec.js';
import type { BuiltFrom, FileIdentity, Generation } from '../declaration.js';
import type { DeclaredEntries } from '../entries/declared-entries.js';
import type { FunctionKind } from '../function-kind.js';
import type { Choices } from '../load-function.js';
import { loadedTarget } from '../load-targets.js';
import type { FunctionDocument } from '../manifest/schema.js';
import type { StateStore } from '../store.js';
import { type ConfiguredMaps, resolveConfig } from './config.js';
import { desiredMaps } from './desired-maps.js';
import { type DesiredPlace, desiredPlaces } from './desired-places.js';
import { type ResolvedObject, resolveObject } from './object.js';
import type { Problems } from './problems.js';
import { valueText } from './value-text.js';
import { checkWatched } from './watched-fields.js';

/** A function's document and where it came from. */
export interface DeclaredSource {
  readonly document: FunctionDocument;
  /** The absolute path of the manifest; null for standard input. */
  readonly manifest: string | null;
  /** What relative paths are relative to. */
  readonly folder: string;
}

export interface DesiredMap {
  /** True: saved for after a reboot. False: begins anew with each upgrade. */
  readonly keep: boolean | undefined;
  readonly exact: boolean;
  /** Undefined where none are declared. */
  readonly entries: DesiredEntries | undefined;
}

export interface DesiredEntries {
  /** The file that they are read from; null for those in the manifest. */
  readonly from: FileIdentity | null;
  /** The file in the state directory that has them already, where that is known. */
  readonly stored: string | undefined;
  readonly count: number;
  entries(): DeclaredEntries;
}

export interface DesiredFunction extends DeclaredSource {
  readonly name: string;
  readonly object: Pick<ResolvedObject, 'path' | 'sha256' | 'compiled' | 'diagnostics'>;
  readonly builtFrom: BuiltFrom | null;
  /** With everything chosen. */
  readonly spec: ObjectSpec;
  readonly choices: Choices;
  readonly maps: ReadonlyMap<string, DesiredMap>;
  /** Those of its own; a chain adds to them. */
  readonly places: readonly DesiredPlace[];
}

export interface Around {
  readonly store: StateStore;
  /** What is recorded of the function, if anything is. */
  readonly recorded: Generation | undefined;
  /** The document itself is the recorded one: what it names is taken from the state directory, not from files. */
  readonly isRecorded?: boolean;
  readonly kinds: readonly FunctionKind[];
  readonly signal: AbortSignal | undefined;
}

/**
 * Reads, compiles and checks what a document says.
 * @param problems gets what is wrong with the document, by the path of the field
 * @returns undefined when the rest could not be looked at because of that
 * @throws NetkitError `compile-failed`, `not-found`, `not-permitted`, `bad-object`, `interrupted`
 */
export async function desireFunction(
  source: DeclaredSource,
  around: Around,
  problems: Problems,
): Promise<DesiredFunction | undefined> {
  const { document, folder } = source;
  const { store, recorded, signal } = around;
  const object = await problems.about(['spec', 'program'], () =>
    resolveObject(document.spec.program, {
      folder,
      stored: (file) => store.objectPath(file),
      previous: recorded,
      signal,
    }),
  );
  return object === undefined ? undefined : desire(source, object, around, problems);
}

/** The rest, when the object is there. */
export async function desire(
  source: DeclaredSource,
  object: ResolvedObject,
  around: Around,
  problems: Problems,
): Promise<DesiredFunction> {
  const { document } = source;
  const { spec } = object;
  const configured = await resolveConfig(document.spec, around.kinds, problems);
  const choices = choose(document, configured, spec, problems);
  const maps = await desiredMaps(source, configured.maps, object, around, problems);
  // What is recorded comes back unwatched.
  checkWatched(document.spec, spec, around.isRecorded === true ? undefined : source.folder, problems);
  return {
    ...source,
    name: document.metadata.name,
    object,
    builtFrom: object.built,
    spec,
    choices,
    maps,
    places: desiredPlaces(document.spec.attach ?? [], spec, problems),
  };
}

function choose(
  { spec: said }: FunctionDocument,
  configured: { readonly globals: Readonly<Record<string, string>>; readonly maps: ConfiguredMaps },
  spec: ObjectSpec,
  problems: Problems,
): Choices {
  const globals: Record<string, string> = { ...configured.globals };
  for (const [name, value] of Object.entries(said.globals ?? {})) {
    if (name in configured.globals)
      problems.add(['spec', 'globals', name], `'${name}' follows from 'config' already`);
    globals[name] = valueText(value);
  }
  const mapSizes: Record<string, number> = {};
  for (const [name, { maxEntries }] of Object.entries(configured.maps))
    if (maxEntries !== undefined) mapSizes[name] = maxEntries;
  const reuse: Record<string, string> = {};
  for (const [name, map] of Object.entries(said.maps ?? {})) {
    if (problems.try(['spec', 'maps', name], () => spec.map(name)) === undefined) continue;
    if (map.maxEntries !== undefined) {
      if (name in mapSizes)
        problems.add(
          ['spec', 'maps', name, 'maxEntries'],
          `the size of '${name}' follows from 'config' already`,
        );
      mapSizes[name] = map.maxEntries;
    }
    if (map.reuse !== undefined) reuse[name] = map.reuse;
  }
  for (const [name, text] of Object.entries(globals))
    problems.try(['spec', 'globals', name], () => spec.globals.set(name, text));
  for (const [name, size] of Object.entries(mapSizes))
    problems.try(['spec', 'maps', name, 'maxEntries'], () => spec.setMapSize(name, size));
  const only = said.program.only ?? null;
  if (only !== null) problems.try(['spec', 'program', 'only'], () => spec.only(only));
  const { targets } = said.program;
  for (const [program, text] of Object.entries(targets ?? {}))
    problems.try(['spec', 'program', 'targets', program], () => loadedTarget(spec, program, text));
  return {
    globals,
    mapSizes,
    reuse,
    only,
    ...(targets === undefined ? {} : { targets }),
  };
}
