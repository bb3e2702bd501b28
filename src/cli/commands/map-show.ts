import { counted } from '../../base/counted.js';
import { describeMap, listFunctions } from '../../cnf/inventory.js';
import type { Command } from '../context.js';
import { mapDocument } from '../describe.js';
import { pinsOf, storeOf } from '../environment.js';
import { mapAbilities, reasonAgainstCommand } from '../map-abilities.js';
import { openTypedMap } from '../typed-map.js';

export const run: Command<'map show'> = async (context, { reference }) => {
  const bpffs = pinsOf(context);
  using opened = await openTypedMap(context, reference, {});
  const own = listFunctions(bpffs, storeOf(context))
    .flatMap(({ maps }) => maps)
    .find(({ info }) => info?.id === opened.info.id);
  const map = mapDocument(
    own ?? describeMap(opened, { pin: reference.startsWith('/') ? reference : undefined }),
  );
  const keyForm = map.keySize === 0 ? null : opened.keyCodec.describe();
  const valueForm = map.valueSize === 0 ? null : opened.valueCodec.describe();
  const operations = mapAbilities.map((name) => {
    const reason = reasonAgainstCommand(map.type, name) ?? null;
    return { name, works: reason === null, reason };
  });
  context.output.result({ map, keyForm, valueForm, operations }, (page) =>
    page.fields([
      ['name', map.name],
      ['id', map.id],
      ['type', map.type],
      ['function', map.function],
      ['key', partText(map.keyType ?? opened.keyCodec.typeName, map.keySize, keyForm)],
      ['value', partText(map.valueType ?? opened.valueCodec.typeName, map.valueSize, valueForm)],
      [isRing(map.type) ? 'size' : 'entries', sizeText(map.type, map.maxEntries)],
      ['flags', map.flags.join(', ') || null],
      ['memory', map.memoryBytes === null ? null : `${map.memoryBytes} bytes`],
      ['access', accessText(map.frozen === true, map.flags)],
      ['commands', listed(operations.filter(({ works }) => works)) ?? 'none'],
      ...refusals(operations).map(([names, reason]): [string, string] => ['not', `${names}: ${reason}`]),
      ['btf', map.btfId],
      ['pin', map.pin],
    ]),
  );
};

/** `struct rule, 8 bytes: {"action": …}`, each thing once. Null where there is nothing. */
function partText(type: string, size: number, form: string | null): string | null {
  if (form === null) return null;
  const width = counted(size, 'byte');
  const named = form.startsWith(type) || type === width ? width : `${type}, ${width}`;
  return `${named}: ${form}`;
}

/** What a ring buffer can hold the kernel counts in bytes, and of an arena in pages. */
function sizeText(type: string, maxEntries: number): string | null {
  if (maxEntries === 0) return null;
  if (isRing(type)) return counted(maxEntries, 'byte');
  return type === 'arena' ? counted(maxEntries, 'page') : `${maxEntries} at most`;
}

function isRing(type: string): boolean {
  return type === 'ringbuf' || type === 'user_ringbuf';
}

/** Null where user space and programs both read and write. */
function accessText(frozen: boolean, flags: readonly string[]): string | null {
  const said = [
    ...(frozen ? ['frozen: user space only reads it, for good'] : []),
    ...(flags.includes('rdonly_prog') ? ['programs only read it'] : []),
    ...(flags.includes('wronly_prog') ? ['programs only write it'] : []),
  ];
  return said.join('; ') || null;
}

interface Operation {
  readonly name: string;
  readonly reason: string | null;
}

function listed(operations: readonly Operation[]): string | null {
  return operations.map(({ name }) => name).join(', ') || null;
}

/** Operations that are not there, together by their reason. */
function refusals(operations: readonly Operation[]): [names: string, reason: string][] {
  const reasons = new Set(operations.flatMap(({ reason }) => reason ?? []));
  return [...reasons].map((wanted) => [
    listed(operations.filter(({ reason }) => reason === wanted)) ?? '',
    wanted,
  ]);
}
