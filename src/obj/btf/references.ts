import { badBtf, Kind, recordWords } from './format.js';
import type { BtfStrings } from './strings.js';
import type { TypeTable } from './table.js';

const mustHaveName = new Set<number>([
  Kind.int,
  Kind.float,
  Kind.fwd,
  Kind.typedef,
  Kind.func,
  Kind.variable,
  Kind.datasec,
  Kind.declTag,
  Kind.typeTag,
]);

const linkages = 3;

/**
 * Checks each record by itself: names and type ids that exist, targets of a fitting kind, sizes that a machine has.
 * @throws NetkitError `bad-object`
 */
export function checkReferences(table: TypeTable, strings: BtfStrings): void {
  for (let id = table.first; id < table.count; id++) {
    checkName(id, table.word(id, 0), strings, mustHaveName.has(table.kind(id)));
    checkRecord(table, id, strings);
  }
}

function checkName(id: number, offset: number, strings: BtfStrings, required: boolean): void {
  if (offset >= strings.end && offset !== 0) {
    throw badBtf(`type ${id} has a name at offset ${offset}, beyond the strings`);
  }
  if (required && strings.isEmptyAt(offset)) {
    throw badBtf(`type ${id} must have a name and has none`);
  }
}

function checkRecord(table: TypeTable, id: number, strings: BtfStrings): void {
  const kind = table.kind(id);
  const sizeOrType = table.word(id, 2);
  switch (kind) {
    case Kind.int:
      return checkInt(id, sizeOrType, table.word(id, recordWords));
    case Kind.float:
      return checkSize(id, sizeOrType, [2, 4, 8, 10, 12, 16]);
    case Kind.ptr:
    case Kind.typedef:
    case Kind.volatile:
    case Kind.const:
    case Kind.restrict:
    case Kind.typeTag:
      return checkType(table, id, sizeOrType, true);
    case Kind.array:
      checkType(table, id, table.word(id, recordWords), true);
      return checkType(table, id, table.word(id, recordWords + 1), true);
    case Kind.struct:
    case Kind.union:
      return checkElements(table, id, 3, strings, false);
    case Kind.enum:
    case Kind.enum64:
      checkSize(id, sizeOrType, [1, 2, 4, 8]);
      return checkEnumerators(table, id, kind === Kind.enum ? 2 : 3, strings);
    case Kind.func:
      checkLinkage(id, table.vlen(id));
      return checkKind(table, id, sizeOrType, [Kind.funcProto]);
    case Kind.funcProto:
      checkType(table, id, sizeOrType, true);
      return checkElements(table, id, 2, strings, true);
    case Kind.variable:
      checkLinkage(id, table.word(id, recordWords));
      return checkType(table, id, sizeOrType, true);
    case Kind.datasec:
      return checkSection(table, id, sizeOrType);
    case Kind.declTag:
      return checkDeclTag(table, id, sizeOrType);
    default:
      return;
  }
}

function checkInt(id: number, size: number, encoding: number): void {
  checkSize(id, size, [1, 2, 4, 8, 16]);
  const bits = encoding & 0xff;
  const bitOffset = (encoding >>> 16) & 0xff;
  if (bits === 0 || bits + bitOffset > size * 8) {
    throw badBtf(`type ${id} is an integer of ${bits} bits at bit ${bitOffset} of ${size} bytes`);
  }
}

function checkSize(id: number, size: number, allowed: readonly number[]): void {
  if (!allowed.includes(size)) {
    throw badBtf(`type ${id} cannot have ${size} bytes`);
  }
}

function checkLinkage(id: number, linkage: number): void {
  if (linkage >= linkages) {
    throw badBtf(`type ${id} has the linkage ${linkage}, which is not known`);
  }
}

/** A target that a declaration can have, so none that is itself a declaration. */
function checkType(table: TypeTable, id: number, target: number, voidAllowed: boolean): void {
  checkId(table, id, target);
  const kind = table.kind(target);
  const declaration =
    kind === Kind.func || kind === Kind.variable || kind === Kind.datasec || kind === Kind.declTag;
  if (declaration || (kind === Kind.void && !voidAllowed)) {
    throw badBtf(`type ${id} refers to type ${target}, which is of kind ${kind}`);
  }
}

function checkKind(table: TypeTable, id: number, target: number, kinds: readonly number[]): void {
  checkId(table, id, target);
  const kind = table.kind(target);
  if (!kinds.includes(kind)) {
    throw badBtf(`type ${id} refers to type ${target}, which is of kind ${kind}`);
  }
}

function checkId(table: TypeTable, id: number, target: number): void {
  if (target >= table.count) {
    throw badBtf(`type ${id} refers to type ${target}, which does not exist`);
  }
}

/** Members and parameters: name and type are the first two words of both. */
function checkElements(
  table: TypeTable,
  id: number,
  words: number,
  strings: BtfStrings,
  variadic: boolean,
): void {
  const vlen = table.vlen(id);
  let at = table.start(id) + recordWords;
  for (let index = 0; index < vlen; index++, at += words) {
    const name = table.words[at] ?? 0;
    const target = table.words[at + 1] ?? 0;
    checkName(id, name, strings, false);
    checkType(table, id, target, variadic && index === vlen - 1 && name === 0);
  }
}

function checkEnumerators(table: TypeTable, id: number, words: number, strings: BtfStrings): void {
  const end = table.start(id) + recordWords + table.vlen(id) * words;
  for (let at = table.start(id) + recordWords; at < end; at += words) {
    checkName(id, table.words[at] ?? 0, strings, true);
  }
}

function checkSection(table: TypeTable, id: number, size: number): void {
  const end = table.start(id) + recordWords + table.vlen(id) * 3;
  for (let at = table.start(id) + recordWords; at < end; at += 3) {
    checkKind(table, id, table.words[at] ?? 0, [Kind.variable, Kind.func]);
    const reach = (table.words[at + 1] ?? 0) + (table.words[at + 2] ?? 0);
    // Compilers leave the section's size and the offsets to whoever reads the ELF file.
    if (size !== 0 && reach > size) {
      throw badBtf(`type ${id} is a section of ${size} bytes with a variable that ends at ${reach}`);
    }
  }
}

function checkDeclTag(table: TypeTable, id: number, target: number): void {
  checkKind(table, id, target, [Kind.struct, Kind.union, Kind.typedef, Kind.func, Kind.variable]);
  const component = table.word(id, recordWords) | 0;
  if (component < -1 || component > 0xffff) {
    throw badBtf(`type ${id} is a tag for component ${component}`);
  }
}
