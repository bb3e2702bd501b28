import { join, resolve } from 'node:path';
import { exportManifest } from '../../cnf/declared/export.js';
import { besideFiles, manifestText, typedDocument } from '../../cnf/declared/export-text.js';
import { functionKinds } from '../../functions/index.js';
import { writeFileSynced } from '../../host/atomic-file.js';
import type { Command } from '../context.js';
import { pinsOf, storeOf } from '../environment.js';

export const run: Command<'export'> = async (context, { name: names }, { entries, outputDir }) => {
  const { output, signal } = context;
  const folder = outputDir === undefined ? undefined : resolve(outputDir);
  const left: string[] = [];
  const exported = await output.progress('exporting', () =>
    exportManifest({
      ...{ names, entries, folder, signal, kinds: functionKinds },
      ...{ store: storeOf(context), bpffs: pinsOf(context) },
      note: (text) => left.push(text),
    }),
  );
  for (const text of left) output.warn(text);
  const { documents } = exported;
  const files = [...exported.files];
  if (folder !== undefined && documents.length > 0) {
    const path = join(folder, 'manifest.yaml');
    writeFileSynced(path, manifestText(besideFiles(documents, folder, files)), { mode: 0o644 });
    files.push(path);
  }
  const notes = documents.flatMap((each) =>
    each.notes.map((text) => ({ name: each.document.metadata.name, text })),
  );
  output.result(
    { documents: documents.map(({ document }) => asRecord(typedDocument(document))), notes, files, left },
    (page) => {
      page.text(manifestText(documents));
    },
  );
  if (documents.length === 0) output.note('there is nothing to export');
  for (const path of files) output.note(`wrote ${path}`);
};

function asRecord(value: unknown): Record<string, unknown> {
  return { ...Object(value) };
}
