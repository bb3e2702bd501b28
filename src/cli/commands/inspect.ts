import { toJson } from '../../base/json.js';
import { ObjectSpec } from '../../obj/spec.js';
import type { Command } from '../context.js';
import { type Inspection, inspection } from '../inspection.js';
import { objectFile } from '../object-file.js';
import { type Cell, type Page, tone } from '../page.js';

const longestValue = 48;

export const run: Command<'inspect'> = async ({ output }, { object }) => {
  const path = objectFile(object);
  const document = inspection(await ObjectSpec.read(path), path);
  output.result(document, (page) => fillPage(page, document));
};

function fillPage(page: Page, document: Inspection): void {
  const { file, bytes, endian, licence, btf, programs, maps, globals, externs, types } = document;
  page.fields([
    ['file', file],
    ['size', `${bytes} bytes, ${endian}-endian`],
    ['licence', licence ?? 'none'],
    ['BTF', btf ? 'yes' : 'no: keys, values and variables have no types'],
  ]);
  chapter(page, 'Programs', programs.length);
  page.table(
    ['NAME', 'SECTION', 'TYPE', 'ATTACH TYPE', { title: 'INSTRUCTIONS', align: 'right' }, 'LOADED'],
    programs.map(({ name, section, type, attachType, instructions, autoload }) => [
      tone('name', name),
      section,
      type,
      attachType,
      instructions,
      autoload ? 'yes' : 'on request',
    ]),
  );
  chapter(page, 'Maps', maps.length);
  page.table(
    ['NAME', 'TYPE', { title: 'ENTRIES', align: 'right' }, 'KEY', 'VALUE', 'FLAGS'],
    maps.map((map) => [
      tone('name', map.name),
      map.type,
      map.maxEntries === 0 ? null : map.maxEntries,
      typeCell(map.keyType, map.keySize),
      typeCell(map.valueType, map.valueSize),
      [...map.flags, ...(map.pinned ? ['pinned by name'] : [])].join(', ') || null,
    ]),
  );
  const entered = maps.filter(({ keyForm, valueForm }) => keyForm !== null || valueForm !== null);
  chapter(page, 'How keys and values are written', entered.length);
  page.table(
    ['MAP', 'PART', 'FORM'],
    entered.flatMap(({ name, keyForm, valueForm }) => {
      const parts = [['key', keyForm] as const, ['value', valueForm] as const];
      const known = parts.filter(([, form]) => form !== null);
      return known.map(([part, form], index) => [index === 0 ? tone('name', name) : '', part, form]);
    }),
  );
  chapter(page, 'Global variables', globals.length);
  page.table(
    ['NAME', 'TYPE', 'SECTION', 'VALUE', 'WRITTEN'],
    globals.map(({ name, type, section, value, form }) => [
      tone('name', name),
      type,
      section,
      shown(value),
      form,
    ]),
  );
  chapter(page, 'Expected of the kernel', externs.length);
  page.table(
    ['NAME', 'KIND', 'TYPE', 'REQUIRED'],
    externs.map(({ name, kind, type, required }) => [
      tone('name', name),
      kind,
      type,
      required ? 'yes' : 'no',
    ]),
  );
  chapter(page, 'Types', types.length);
  for (const { declaration } of types) page.text(`${declaration};`);
  const problems = [...programs, ...maps].filter(({ problem }) => problem !== null);
  chapter(page, 'Cannot be loaded', problems.length);
  page.table(
    ['NAME', 'WHY'],
    problems.map(({ name, problem }) => [tone('bad', name), problem]),
  );
}

/** A heading, where something stands below it. */
function chapter(page: Page, title: string, rows: number): void {
  if (rows > 0) page.line().line(tone('name', title));
}

function typeCell(type: string | null, size: number): Cell {
  if (type !== null) return type;
  return size === 0 ? null : `${size} bytes`;
}

/** On one line of a table; the whole is for `--json`. */
function shown(value: unknown): string | null {
  if (value === null) return null;
  const text = typeof value === 'object' ? toJson(value) : String(value);
  return text.length > longestValue ? `${text.slice(0, longestValue)}…` : text;
}
