/** A manifest's document of one function, from what runs. */
import { join, resolve } from 'node:path';
import { NetkitError } from '../../base/errors.js';
import { exists } from '../../host/folders.js';
import { bootId } from '../../host/kernel.js';
import { listedMapName } from '../../obj/maps.js';
import { ObjectSpec } from '../../obj/spec.js';
import { chainMaps } from '../../obj/xdp-tail-chain/layout.js';
import { isAlive } from '../attachment.js';
import { reasonAgainstEntries } from '../entries/declarable.js';
import { describeTarget } from '../hooks/index.js';
import { functionFolder, pinPath } from '../layout.js';
import { apiVersion, type DeclaredMap, type FunctionDocument, functionDocument } from '../manifest/schema.js';
import type { FunctionState } from '../state.js';
import { storedObjectFile } from '../state-object.js';
import type { DesiredFunction } from './desired.js';
import { exportedAttach } from './export-attach.js';
import { inlineEntries, writeEntries } from './export-entries.js';
import { attachmentsOf } from './export-links.js';
import { programOf } from './export-program.js';
import { sameJson, toJson } from './field-changes.js';
import { openShaped } from './map-number.js';
import { type Around, damagedDocument } from './observe.js';
import { recordedFunction } from './plan-manifest.js';

export interface ExportOptions extends Around {
  /** Whether the contents of maps are declared. */
  readonly entries: boolean;
  /** An absolute path, for files beside the manifest. */
  readonly folder: string | undefined;
}

export interface ExportedFunction {
  readonly document: FunctionDocument;
  /** What whoever reads the manifest should know, in a sentence each. */
  readonly notes: readonly string[];
  /** Files that were written, by their absolute paths. */
  readonly files: readonly string[];
}

type FunctionSpec = FunctionDocument['spec'];

/** @throws NetkitError `unsupported` for a function that was adopted, `usage` when a map has too many entries for a manifest, `bad-state` */
export async function exportFunction(
  state: FunctionState,
  options: ExportOptions,
): Promise<ExportedFunction> {
  // Refused before anything is written.
  const stored = options.store.objectPath(storedObjectFile(state));
  const notes: string[] = [];
  const files: string[] = [];
  const recorded = state.declared === undefined ? undefined : await recordedOf(state, options);
  const spec: FunctionSpec =
    recorded === undefined
      ? loadedSpec(state, options, notes, files)
      : declaredSpec(state, recorded, options, notes, files);
  const maps = options.entries
    ? await withEntries(spec, state, stored, recorded, options, notes, files)
    : spec.maps;
  const metadata = recorded?.document.metadata ?? { name: state.name };
  const { globals = {}, attach = [] } = spec;
  const own = {
    ...spec,
    globals: Object.keys(globals).length === 0 ? undefined : globals,
    maps: Object.keys(maps ?? {}).length === 0 ? undefined : maps,
    attach: attach.length === 0 ? undefined : attach,
  };
  return { document: checked({ apiVersion, kind: 'NetworkFunction', metadata, spec: own }), notes, files };
}

async function recordedOf(state: FunctionState, options: ExportOptions): Promise<DesiredFunction> {
  try {
    return (await recordedFunction(state, options)).desired;
  } catch (error) {
    const problem = damagedDocument(error);
    throw problem === undefined
      ? error
      : new NetkitError('bad-state', `${state.name}: ${problem}`, { cause: error });
  }
}

/** In the order of the schema, which it has to fit. */
function checked(document: unknown): FunctionDocument {
  const read = functionDocument.safeParse(toJson(document));
  if (read.success) return read.data;
  throw new TypeError(`an exported document that is none: ${read.error.message}`);
}

/** Of a function that was loaded by hand. */
function loadedSpec(
  state: FunctionState,
  { store, folder }: ExportOptions,
  notes: string[],
  files: string[],
): FunctionSpec {
  const { options, links, bpffs, name } = state;
  const pins = functionFolder(bpffs, name);
  const isLoaded = state.bootId === bootId() && exists(pins);
  if (!isLoaded) notes.push('it is not in the kernel: this is what is recorded of it');
  const alive = isLoaded ? links.filter((link) => isAlive(pins, link)) : links;
  for (const link of links)
    if (!alive.includes(link))
      notes.push(`${link.program} is not attached to ${describeTarget(link)} any more: left out`);
  return {
    program: chosenProgram(state, { store, folder }, notes, files),
    globals: { ...options.globals },
    maps: mapsOf(options),
    attach: attachmentsOf(alive),
  };
}

/** As it was declared, with what was changed by hand. */
function declaredSpec(
  state: FunctionState,
  recorded: DesiredFunction,
  options: ExportOptions,
  notes: string[],
  files: string[],
): FunctionSpec {
  const { spec } = recorded.document;
  const { attach, notes: more } = exportedAttach(state, recorded);
  notes.push(...more);
  const present = state.declared?.present;
  const isReplaced = state.object?.sha256 !== present?.object.sha256;
  if (!isReplaced && sameJson(toJson(state.options), toJson(present?.options ?? {})))
    return {
      ...spec,
      ...absoluteHealth(spec.health, recorded.folder),
      program: absoluteProgram(spec.program, recorded.folder),
      maps: absoluteMaps(spec.maps, recorded.folder),
      attach: [...attach],
    };
  notes.push('its programs were replaced by hand: program, globals and sizes are those that run');
  // What a configuration comes to is among the globals and sizes.
  const { config, ...rest } = spec;
  if (config !== undefined)
    notes.push(
      'its configuration is left out, since other programs run: --entries declares what is in its maps',
    );
  const kept = Object.fromEntries(
    Object.entries(absoluteMaps(spec.maps, recorded.folder) ?? {}).map(
      ([name, { maxEntries: _size, reuse: _reuse, ...map }]) => [name, map],
    ),
  );
  return {
    ...rest,
    ...absoluteHealth(spec.health, recorded.folder),
    program: chosenProgram(state, options, notes, files),
    globals: { ...state.options.globals },
    maps: merged(kept, mapsOf(state.options)),
    attach: [...attach],
  };
}

function chosenProgram(
  state: FunctionState,
  { store, folder }: Pick<ExportOptions, 'store' | 'folder'>,
  notes: string[],
  files: string[],
): FunctionSpec['program'] {
  const { program, note, file } = programOf(state, store, folder);
  if (note !== undefined) notes.push(note);
  if (file !== undefined) files.push(file);
  const { only, targets } = state.options;
  return {
    ...program,
    ...(only === null ? {} : { only: [...only] }),
    ...(targets === undefined ? {} : { targets: { ...targets } }),
  };
}

function mapsOf({ mapSizes, reuse }: FunctionState['options']): Record<string, DeclaredMap> {
  const sizes = Object.entries(mapSizes).map(([name, maxEntries]) => [name, { maxEntries }] as const);
  const reused = Object.entries(reuse).map(([name, reference]) => [name, { reuse: reference }] as const);
  return merged(Object.fromEntries(sizes), Object.fromEntries(reused));
}

function merged(
  one: Record<string, DeclaredMap>,
  other: Record<string, DeclaredMap>,
): Record<string, DeclaredMap> {
  const names = new Set([...Object.keys(one), ...Object.keys(other)]);
  return Object.fromEntries([...names].map((name) => [name, { ...one[name], ...other[name] }]));
}

/** The manifest may lie elsewhere than the one that it comes from. */
function absoluteProgram(program: FunctionSpec['program'], folder: string): FunctionSpec['program'] {
  if ('source' in program) {
    const { includes } = program;
    return {
      ...program,
      source: resolve(folder, program.source),
      ...(includes === undefined ? {} : { includes: includes.map((path) => resolve(folder, path)) }),
    };
  }
  return 'object' in program ? { ...program, object: resolve(folder, program.object) } : program;
}

function absoluteMaps(maps: FunctionSpec['maps'], folder: string): Record<string, DeclaredMap> | undefined {
  if (maps === undefined) return undefined;
  return Object.fromEntries(
    Object.entries(maps).map(([name, map]) => [
      name,
      map.from === undefined ? map : { ...map, from: resolve(folder, map.from) },
    ]),
  );
}

function absoluteHealth(
  health: FunctionSpec['health'],
  folder: string,
): { readonly health?: FunctionSpec['health'] } {
  const probe = health?.probe;
  if (probe === undefined || !('command' in probe)) return {};
  const [program = '', ...args] = probe.command;
  const command = [program.includes('/') ? resolve(folder, program) : program, ...args];
  return { health: { ...health, probe: { ...probe, command } } };
}

/** The maps of a document with the contents that they have now. */
async function withEntries(
  { maps = {}, config }: FunctionSpec,
  state: FunctionState,
  stored: string,
  recorded: DesiredFunction | undefined,
  { folder, signal }: ExportOptions,
  notes: string[],
  files: string[],
): Promise<FunctionSpec['maps']> {
  const spec = recorded?.spec ?? ObjectSpec.readSync(stored);
  const pins = functionFolder(state.bpffs, state.name);
  const own: ReadonlySet<string> = new Set(Object.values(chainMaps));
  const result: Record<string, DeclaredMap> = { ...maps };
  for (const map of spec.maps) {
    const { name } = map;
    const pin = pinPath(pins, 'maps', listedMapName(map, state.name));
    if (own.has(name) || reasonAgainstEntries(map) !== undefined || !exists(pin)) continue;
    // What is in another function's map is declared there.
    if (name in state.options.reuse) continue;
    const { entries: before, from: _from, ...said } = maps[name] ?? {};
    const isConfigured =
      config !== undefined && before === undefined && recorded?.maps.get(name)?.entries?.from === null;
    if (isConfigured) {
      notes.push(`the entries of '${name}' follow from the configuration: what others added is left out`);
      continue;
    }
    const entries = await contentsOf(name, pin);
    const isEmpty = entries?.entries !== undefined && Object.keys(entries.entries).length === 0;
    // `exact` says that the map is to be empty.
    if (isEmpty && said.exact !== true) result[name] = said;
    else if (entries !== undefined) result[name] = { ...said, ...entries };
    if (Object.keys(result[name] ?? {}).length === 0) delete result[name];
  }
  return result;

  async function contentsOf(
    name: string,
    pin: string,
  ): Promise<Pick<DeclaredMap, 'entries' | 'from'> | undefined> {
    using map = openShaped(pin, spec, name);
    const read = { spec, name, map, signal };
    try {
      const entries = await inlineEntries(read);
      if (entries !== undefined) return { entries };
    } catch (error) {
      if (!(error instanceof NetkitError) || error.code !== 'unsupported') throw error;
      notes.push(`${error.message}: left out`);
      return undefined;
    }
    if (folder === undefined)
      throw new NetkitError('usage', `'${state.name}/${name}' has more entries than a manifest takes`, {
        hint: '--output-dir DIR writes them into a file beside it',
      });
    const path = join(folder, `${state.name}-${name}.csv`);
    await writeEntries(read, path);
    files.push(path);
    return { from: path };
  }
}
