/** What differs of everything that is declared, with the manifests as they are now. */
import { messageOf, NetkitError } from '../../base/errors.js';

import { readManifests } from '../manifest/read.js';
import type { ChainDocument } from '../manifest/schema.js';
import type { ReadingOptions } from '../manifest/sources.js';
import type { DesiredFunction } from './desired.js';
import { type Declared, driftOfFunction, newRow } from './drift.js';
import { driftOfChain } from './drift-chain.js';
import type { DriftRow } from './drift-row.js';
import { type Around, observe } from './observe.js';
import { desireManifest } from './plan-manifest.js';
import { undeclared } from './status.js';
import { statusOfChain } from './status-chain.js';

/** The rows of one function or chain. */
export interface Drift {
  readonly kind: 'function' | 'chain';
  readonly name: string;
  readonly rows: readonly DriftRow[];
  /** What could not be looked at, in a sentence each. */
  readonly problems: readonly string[];
}

export interface DriftRequest extends Around {
  /** All that are declared when it is empty. */
  readonly names: readonly string[];
  /** In place of the manifests that functions were applied from. */
  readonly files: readonly string[];
  readonly reading: ReadingOptions;
  /** Of a manifest that cannot be read: what is declared stays unknown. */
  note(text: string): void;
}

/** What manifests say now, by name. */
interface DeclaredNow {
  readonly functions: ReadonlyMap<string, DesiredFunction>;
  readonly chains: ReadonlyMap<string, ChainDocument>;
}

/** @throws NetkitError `not-found` for a name that nothing declares; what is wrong with one of `files` */
export async function declaredDrift(request: DriftRequest): Promise<Drift[]> {
  const { store, names, files } = request;
  const functions = store
    .names()
    .filter((name) => store.peek(name)?.declared !== undefined || isDamaged(name, request));
  const chains = store.chainNames();
  const manifests = new Map<string, DeclaredNow | undefined>();
  const given = files.length > 0 ? await readAll(request, files, names) : undefined;
  const isMeant = (name: string): boolean =>
    names.length > 0
      ? names.includes(name)
      : given === undefined || given.functions.has(name) || given.chains.has(name);
  const known = new Set([
    ...functions,
    ...chains,
    ...(given?.functions.keys() ?? []),
    ...(given?.chains.keys() ?? []),
  ]);
  const unknown = names.find((name) => !known.has(name));
  if (unknown !== undefined) throw undeclared(unknown, request);

  const sourceOf = async (manifest: string | null | undefined): Promise<DeclaredNow | undefined> => {
    if (given !== undefined || manifest == null) return given;
    if (!manifests.has(manifest)) manifests.set(manifest, await readable(request, manifest));
    return manifests.get(manifest);
  };
  const found: Drift[] = [];
  for (const name of functions.filter(isMeant)) found.push(await functionDrift(name, request, sourceOf));
  for (const name of given?.functions.keys() ?? [])
    if (!functions.includes(name)) found.push({ kind: 'function', name, rows: [newRow()], problems: [] });
  for (const name of chains.filter(isMeant)) {
    const status = statusOfChain(name, request);
    const now = await sourceOf(status.state?.manifest);
    const problems = status.problem === undefined ? [] : [status.problem];
    found.push({
      kind: 'chain',
      name,
      rows: driftOfChain(status, sayingOf(now, now?.chains.get(name))),
      problems,
    });
  }
  for (const name of given?.chains.keys() ?? [])
    if (!chains.includes(name)) found.push({ kind: 'chain', name, rows: [newRow()], problems: [] });
  return found;
}

function isDamaged(name: string, { store }: DriftRequest): boolean {
  return store.readOrProblem(name).problem !== undefined;
}

async function functionDrift(
  name: string,
  request: DriftRequest,
  sourceOf: (manifest: string | null | undefined) => Promise<DeclaredNow | undefined>,
): Promise<Drift> {
  const observed = await observe(name, request);
  if (observed === undefined) return { kind: 'function', name, rows: [], problems: [] };
  const now = await sourceOf(observed.state?.declared?.manifest);
  const rows = await driftOfFunction(observed, sayingOf(now, now?.functions.get(name)), request);
  return { kind: 'function', name, rows, problems: observed.problems };
}

function sayingOf<T>(now: DeclaredNow | undefined, said: T | undefined): Declared<T> {
  return now === undefined ? undefined : (said ?? 'gone');
}

async function readable(request: DriftRequest, manifest: string): Promise<DeclaredNow | undefined> {
  try {
    return await readAll(request, [manifest], request.names);
  } catch (error) {
    if (!(error instanceof NetkitError) || error.code === 'interrupted') throw error;
    request.note(`${manifest} cannot be compared with: ${messageOf(error)}`);
    return undefined;
  }
}

/** Only what is asked for is compiled. */
async function readAll(
  { store, kinds, signal, reading }: DriftRequest,
  files: readonly string[],
  names: readonly string[],
): Promise<DeclaredNow> {
  const manifest = await readManifests(files, reading);
  const documents = manifest.documents.filter(
    ({ document }) => names.length === 0 || names.includes(document.metadata.name),
  );
  const { functions, chains } = await desireManifest({ ...manifest, documents }, store, kinds, signal);
  return {
    functions: new Map(functions.map(({ desired }) => [desired.name, desired])),
    chains: new Map(chains.map(({ desired }) => [desired.name, desired.document])),
  };
}
