/** A manifest of what is running. */

import { mkdirSync } from 'node:fs';
import { NetkitError } from '../../base/errors.js';
import { fileError } from '../../host/file-errors.js';
import { findFunction } from '../inventory.js';
import { chainDocument, type Document } from '../manifest/schema.js';
import { noSuchFunction } from '../reference.js';
import { type ExportedFunction, type ExportOptions, exportFunction } from './export-function.js';

export interface ExportRequest extends ExportOptions {
  /** Everything when it is empty. */
  readonly names: readonly string[];
  /** Of a function that cannot be exported, where not it alone was asked for. */
  note(text: string): void;
}

export interface ExportedDocument {
  readonly document: Document;
  readonly notes: readonly string[];
}

export interface Exported {
  /** Functions before the chains that they are in, and before functions that are to stand next to them. */
  readonly documents: readonly ExportedDocument[];
  /** Files that were written, by their absolute paths. */
  readonly files: readonly string[];
}

/** @throws NetkitError `not-found`, `unsupported` for a function that was adopted and is asked for, `usage`, `bad-state` */
export async function exportManifest(request: ExportRequest): Promise<Exported> {
  const { store, bpffs, names, folder } = request;
  const chains = store.chainNames();
  const functions = store.names().filter((name) => findFunction(bpffs, store, name) !== undefined);
  const unknown = names.find((name) => !chains.includes(name) && !functions.includes(name));
  if (unknown !== undefined) throw noSuchFunction(unknown, bpffs);
  if (folder !== undefined) prepareFolder(folder);
  const isMeant = (name: string): boolean => names.length === 0 || names.includes(name);
  const exported: ExportedFunction[] = [];
  for (const name of functions.filter(isMeant)) {
    const one = await oneFunction(name, request);
    if (one !== undefined) exported.push(one);
  }
  const documents: ExportedDocument[] = [
    ...inOrder(exported),
    ...chains.filter(isMeant).map((name) => ({ document: chainOf(name, request), notes: [] })),
  ];
  return { documents, files: exported.flatMap(({ files }) => files) };
}

function prepareFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    throw fileError(error, 'make the folder', folder);
  }
}

async function oneFunction(name: string, request: ExportRequest): Promise<ExportedFunction | undefined> {
  const { store, names } = request;
  try {
    const state = store.read(name);
    return state === undefined ? undefined : await exportFunction(state, request);
  } catch (error) {
    const isTolerated =
      error instanceof NetkitError &&
      (error.code === 'unsupported' || error.code === 'bad-state') &&
      names.length === 0;
    if (!isTolerated) throw error;
    request.note(`${error.message}: left out`);
    return undefined;
  }
}

function chainOf(name: string, { store }: ExportRequest): Document {
  const read = chainDocument.safeParse(store.readChain(name)?.document);
  if (read.success) return read.data;
  throw new NetkitError('bad-state', `the recorded document of the chain '${name}' is damaged`);
}

/** Those first that others are to stand next to; where that is a circle, by name. */
function inOrder(exported: readonly ExportedFunction[]): ExportedFunction[] {
  const left = new Map(exported.map((each) => [each.document.metadata.name, each]));
  const done: ExportedFunction[] = [];
  const take = (name: string): void => {
    const each = left.get(name);
    if (each === undefined) return;
    left.delete(name);
    for (const anchor of anchorsOf(each)) take(anchor);
    done.push(each);
  };
  for (const { document } of exported) take(document.metadata.name);
  return done;
}

/** Functions that are named by references: to stand next to, or to share maps with. */
function anchorsOf({ document: { spec } }: ExportedFunction): string[] {
  const places = (spec.attach ?? []).flatMap(({ place }) => {
    if (place === undefined || typeof place === 'string') return [];
    return 'before' in place ? place.before : place.after;
  });
  const reused = Object.values(spec.maps ?? {}).flatMap(({ reuse }) => reuse ?? []);
  return [...places, ...reused].flatMap((reference) => reference.split('/')[0] ?? []);
}
