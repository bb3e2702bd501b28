import { NetkitError } from '../../base/errors.js';
import { suggestion } from '../../base/suggest.js';
import { cHeader } from '../../obj/btf/c-header.js';
import { rawKind, rawTypeText } from '../../obj/btf/raw-text.js';
import type { BtfType } from '../../obj/btf/types.js';
import { type BtfSource, openBtf } from '../btf-source.js';
import type { Command } from '../context.js';
import { writeOutputFile } from '../output-file.js';
import type { DocumentOf } from '../schema/index.js';

export const run: Command<'btf dump'> = async (context, { source: text }, options) => {
  const { output, signal } = context;
  const source = await output.progress('reading types', () => openBtf(context, text));
  const { btf, first, id, name } = source;
  const roots = chosen(source, options.type);
  const shown = options.raw
    ? roots.map((type) => ({ ...typeInfo(type), text: rawTypeText(btf, type.id) }))
    : undefined;
  const header = options.raw ? undefined : headerOf(source, options.type, roots);
  const whole = header ?? (shown ?? []).map((each) => `${each.text}\n`).join('');
  const document: DocumentOf<'btf dump'> = {
    id: id ?? null,
    name: name ?? null,
    count: btf.count - first,
    header: header ?? null,
    types: shown ?? null,
    file: null,
  };
  if (options.output === undefined) {
    output.result(document, (page) => page.text(whole));
    return;
  }
  const file = options.output;
  await writeOutputFile(file, whole, signal);
  output.done({ ...document, header: null, types: null, file }, (page) =>
    page.line(`${file}: ${roots.length} of ${btf.count - first} types, ${Buffer.byteLength(whole)} bytes`),
  );
};

function typeInfo(type: BtfType): { id: number; kind: string; name: string } {
  return { id: type.id, kind: rawKind(type), name: type.name };
}

/** The source's own types, or those of them, and of what it continues, that were asked for. */
function chosen({ btf, first }: BtfSource, names: readonly string[]): BtfType[] {
  const ids = (from: number) => Array.from({ length: btf.count - from }, (_, index) => from + index);
  if (names.length === 0) return ids(first).map((id) => btf.type(id));
  const all = ids(1).map((id) => btf.type(id));
  return names.flatMap((wanted) => {
    const [, keyword, name = wanted] = /^(struct|union|enum) +(\S+)$/.exec(wanted.trim()) ?? [];
    const found = all.filter(
      (type) => type.name === name && (keyword === undefined || type.kind === keyword),
    );
    if (found.length > 0) return found;
    throw new NetkitError('not-found', `there is no type '${wanted}'`, {
      hint: suggestion(
        name,
        all.flatMap((type) => (type.name === '' ? [] : [type.name])),
      ),
    });
  });
}

function headerOf({ btf, first }: BtfSource, names: readonly string[], roots: readonly BtfType[]): string {
  const isWhole = names.length === 0 && first === 1;
  const inC = roots.filter(({ kind }) => kind === 'typedef' || /^(struct|union|enum|fwd)$/.test(kind));
  if (names.length > 0 && inC.length === 0) {
    throw new NetkitError('bad-value', `of ${names.join(', ')} there is nothing to declare in a C header`, {
      hint: 'functions, variables and basic types are shown with --raw',
    });
  }
  return cHeader(btf, isWhole ? {} : { roots: inC.map(({ id }) => id) });
}
