/** Reads manifests: files with documents that declare functions and chains. */
import type { Problem } from '../../base/problem-line.js';
import { check, type Mistake } from './issues.js';
import { pathText, type Step } from './path-text.js';
import { PlainDocument } from './plain-data.js';
import { manifestError } from './problems.js';
import { chainDocument, type Document, documentHead, functionDocument } from './schema.js';
import type { Schema } from './schema-walk.js';
import { type ManifestText, type ReadingOptions, readTexts } from './sources.js';
import { parseText } from './syntax.js';
import { type TextPlace, TextPlaces } from './text-place.js';

/** Everything that was declared, in the order of the files. */
export interface Manifest {
  readonly files: readonly ManifestFile[];
  readonly documents: readonly ReadDocument[];
}

export interface ManifestFile {
  /** As it was given, or below the folder that was; null for standard input. */
  readonly path: string | null;
  /** Absolute: what relative paths in it are relative to. */
  readonly folder: string;
}

/** A document and where it was read. */
export interface ReadDocument {
  readonly document: Document;
  /** The path of its file; null for standard input. */
  readonly file: string | null;
  /** Absolute: what relative paths in it are relative to. */
  readonly folder: string;
  /** Where something stands: the value at a path, or what is around it where there is none. */
  at(path: readonly Step[]): TextPlace;
  /** A mistake at a path, for {@link manifestError}: one that shows when the machine or the object is known. */
  problem(path: readonly Step[], message: string, expected?: string): Problem;
}

/**
 * Reads all documents of files, pipes (`/dev/stdin`), folders (their *.yaml, *.yml and *.json, in order of name) and
 * standard input (`-`).
 * @throws NetkitError `bad-manifest` with everything that is wrong, in all files, as `details.problems`; `not-found`,
 * `usage`; `not-permitted`, when run as root also for a file that others can write
 */
export async function readManifests(
  paths: readonly string[],
  options: ReadingOptions = {},
): Promise<Manifest> {
  const texts = await readTexts(paths, options);
  const problems: Problem[] = [];
  const documents: ReadDocument[] = [];
  for (const text of texts) {
    const read = readFile(text);
    problems.push(...read.problems);
    documents.push(...read.documents);
  }
  problems.push(...sharedNames(documents));
  if (problems.length > 0) throw manifestError(problems);
  return { files: texts.map(({ path, folder }) => ({ path, folder })), documents };
}

interface FileReading {
  readonly documents: ReadDocument[];
  readonly problems: Problem[];
}

function readFile({ path: file, folder, text, fault }: ManifestText): FileReading {
  const places = new TextPlaces(text);
  const whole = ({ offset, message }: { offset: number; message: string }): Problem => ({
    file,
    ...places.at(offset),
    path: '',
    message,
    expected: null,
  });
  if (fault !== undefined) return { documents: [], problems: [whole(fault)] };
  const { documents: parsed, errors } = parseText(text);
  if (errors.length > 0) return { documents: [], problems: errors.map(whole) };
  if (parsed.length === 0)
    return { documents: [], problems: [whole({ offset: 0, message: 'no document is in it' })] };
  const documents: ReadDocument[] = [];
  const problems: Problem[] = [];
  for (const each of parsed) {
    const read = readDocument(new PlainDocument(each, places), { file, folder, places });
    if ('problems' in read) problems.push(...read.problems.toSorted(byPlace));
    else documents.push(read.document);
  }
  return { documents, problems };
}

interface Origin {
  readonly file: string | null;
  readonly folder: string;
  readonly places: TextPlaces;
}

function readDocument(
  plain: PlainDocument,
  { file, folder, places }: Origin,
): { readonly document: ReadDocument } | { readonly problems: readonly Problem[] } {
  const at = (path: readonly Step[]): TextPlace => places.at(plain.places.offsetOf(path));
  const problem = (path: readonly Step[], message: string, expected?: string | null): Problem => ({
    file,
    ...at(path),
    path: pathText(path),
    message,
    expected: expected ?? null,
  });
  const kind = plain.topText('kind') ?? '';
  const result = checkedDocument(plain, kind);
  const found = plain.findings.map(({ path, offset, message }) => ({
    ...problem(path, message),
    ...places.at(offset),
  }));
  if ('mistakes' in result) {
    // Where it could not even be read there is no value, and it would be found missing too.
    const unread = new Set(found.map(({ path }) => path));
    const mistakes = result.mistakes.map(({ path, atKey, message, expected }) => ({
      ...problem(path, message, expected),
      ...(atKey ? places.at(plain.places.offsetOfKey(path)) : {}),
    }));
    return { problems: [...found, ...mistakes.filter(({ path }) => !unread.has(path))] };
  }
  if (found.length > 0) return { problems: found };
  return { document: { document: result.value, file, folder, at, problem } };
}

type Checked = { readonly value: Document } | { readonly mistakes: readonly Mistake[] };

function checkedDocument(plain: PlainDocument, kind: string): Checked {
  switch (kind) {
    case 'NetworkFunction':
      return readAs(functionDocument, plain);
    case 'Chain':
      return readAs(chainDocument, plain);
    default: {
      // Without its kind, nobody knows what else is right.
      const result = readAs(documentHead, plain);
      return 'mistakes' in result ? result : { mistakes: [] };
    }
  }
}

function readAs<S extends Schema>(schema: S, plain: PlainDocument): ReturnType<typeof check<S>> {
  const read = plain.read(schema);
  return read === undefined ? { mistakes: [] } : check(schema, read.data);
}

/** Names that are taken, by this and other files. */
function sharedNames(documents: readonly ReadDocument[]): Problem[] {
  const first = new Map<string, ReadDocument>();
  return documents.flatMap((each) => {
    const { name } = each.document.metadata;
    const other = first.get(name);
    if (other === undefined) {
      first.set(name, each);
      return [];
    }
    const { line, column } = other.at(namePath);
    const place = `${other.file ?? '<stdin>'}:${line}:${column}`;
    return [each.problem(namePath, `the name '${name}' is taken by another document, at ${place}`)];
  });
}

const namePath = ['metadata', 'name'];

function byPlace(one: Problem, other: Problem): number {
  return one.line - other.line || one.column - other.column;
}
