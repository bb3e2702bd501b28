/** Documents as the text of a manifest. */
import { relative } from 'node:path';
import { stringify } from 'yaml';
import { isRecord } from '../manifest/schema-parts.js';
import type { ExportedDocument } from './export.js';

/** What a document is in YAML and JSON, where scalars have types. */
type Typed =
  | string
  | number
  | bigint
  | boolean
  | null
  | readonly Typed[]
  | { readonly [name: string]: Typed };

/** Fields whose values are read as they are written, by the types that they are for. */
const asWritten = /^spec\.(globals\.[^.]+|maps\.[^.]+\.entries|health\.probe\.(key|value))$/;

/** The documents with whole numbers as numbers where their text alone counts, so that nobody need wonder at quotes. */
export function typedDocument(document: ExportedDocument['document'], path = ''): Typed {
  return typed(JSON.parse(JSON.stringify(document)), path, false);
}

function typed(value: unknown, path: string, isText: boolean): Typed {
  if (Array.isArray(value)) return value.map((each) => typed(each, path, isText));
  if (isRecord(value))
    return Object.fromEntries(
      Object.entries(value).map(([name, each]) => {
        const own = path === '' ? name : `${path}.${name}`;
        return [name, typed(each, own, isText || asWritten.test(own))];
      }),
    );
  if (typeof value === 'string') return isText ? numberIn(value) : value;
  return typeof value === 'number' || typeof value === 'boolean' ? value : null;
}

function numberIn(text: string): string | number | bigint {
  if (!/^(0|-?[1-9]\d{0,38})$/.test(text)) return text;
  const number = BigInt(text);
  return Number.isSafeInteger(Number(number)) ? Number(number) : number;
}

/** YAML, a document each; notes stand above as comments. */
export function manifestText(documents: readonly ExportedDocument[]): string {
  return documents
    .map(({ document, notes }) => {
      const comments = notes.map((note) => `# ${note.replaceAll(/[\r\n]+/g, ' ')}\n`).join('');
      return comments + stringify(typedDocument(document), { lineWidth: 0, aliasDuplicateObjects: false });
    })
    .join('---\n');
}

/** The same documents for a manifest in `folder`, which has the files that were written. */
export function besideFiles(
  documents: readonly ExportedDocument[],
  folder: string,
  files: readonly string[],
): ExportedDocument[] {
  const written = new Set(files);
  const text = (value: unknown): unknown => {
    if (typeof value === 'string') return written.has(value) ? `./${relative(folder, value)}` : value;
    return value;
  };
  return documents.map((each) => {
    if (each.document.kind === 'Chain') return each;
    const { program, maps } = each.document.spec;
    const near = 'object' in program ? { ...program, object: String(text(program.object)) } : program;
    const own =
      maps === undefined
        ? {}
        : {
            maps: Object.fromEntries(
              Object.entries(maps).map(([name, map]) => [
                name,
                map.from === undefined ? map : { ...map, from: String(text(map.from)) },
              ]),
            ),
          };
    return {
      ...each,
      document: { ...each.document, spec: { ...each.document.spec, program: near, ...own } },
    };
  });
}
