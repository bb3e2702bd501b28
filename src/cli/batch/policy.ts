/** What may stand in a batch, and what in one that is made all or none. */
import { NetkitError } from '../../base/errors.js';
import type { Parsed } from '../parse.js';
import { allOptions } from '../table/common.js';
import type { Row } from '../table/index.js';
import type { OptionEntry } from '../table/types.js';

/** Commands that stay until they are stopped, or ask. */
const staying: ReadonlySet<string> = new Set(['map watch', 'trace', 'run', 'reconcile']);
/** Commands that are a transaction of their own, and watch what comes of it. */
const whole: ReadonlySet<string> = new Set(['apply', 'upgrade', 'rollback', 'delete']);
/** Options that make a command stay. */
const stayingOptions = ['watch', 'hold', 'follow'];

/** Options of the batch that are not a line's to give. */
const ofTheBatch: ReadonlySet<string> = new Set([
  'json',
  'json-strings',
  'quiet',
  'no-color',
  'bpffs',
  'state-dir',
  'lock-timeout',
  'log-level',
]);

/** What the executor or the log of old entries takes back. */
const undoable: ReadonlySet<string> = new Set([
  'load',
  'replace',
  'attach',
  'detach',
  'link update',
  'unload',
  'map update',
  'map delete',
  'map import',
  'map copy',
]);
/** They change nothing in the kernel that `changes` would tell of, and yet leave something behind. */
const leaving: ReadonlyMap<string, string> = new Map([
  ['build', 'it writes files'],
  ['gen vmlinux', 'it may write a file'],
  ['gen types', 'it may write a file'],
  ['map export', 'it writes a file'],
  ['prog run', 'the program may write to its maps'],
]);

/** @throws NetkitError `usage` for a command that does not belong in a batch */
export function refuseInBatch({ name }: Row): void {
  if (name === 'batch') throw new NetkitError('usage', 'a batch cannot hold another one');
  if (whole.has(name))
    throw new NetkitError('usage', `'${name}' is done as a whole by itself: it cannot stand in a batch`);
  if (name.startsWith('bench '))
    throw new NetkitError('usage', `'${name}' measures: it cannot stand in a batch`);
  if (staying.has(name))
    throw new NetkitError('usage', `'${name}' goes on until it is stopped: it cannot stand in a batch`);
}

/** @throws NetkitError `usage` for options that make a command stay, or that belong to the whole batch */
export function refuseOptions(row: Row, rest: readonly string[], { values }: Parsed): void {
  const stays = stayingOptions.find((long) => values.get(long) === true);
  if (stays !== undefined)
    throw new NetkitError(
      'usage',
      `'${row.name} --${stays}' goes on until it is stopped: it cannot stand in a batch`,
    );
  const given = optionsOf(row, rest).find((long) => ofTheBatch.has(long));
  if (given === undefined) return;
  throw new NetkitError('usage', `--${given} is for the whole batch and not for one of its lines`, {
    hint: `give it to the batch: netkit batch --${given} …`,
  });
}

/** The long names of the options among the words. */
function optionsOf(row: Row, rest: readonly string[]): string[] {
  const found: string[] = [];
  const known: readonly OptionEntry[] = allOptions(row);
  for (let at = 0; at < rest.length; at++) {
    const word = rest[at] ?? '';
    if (word === '--') break;
    if (!word.startsWith('-')) continue;
    const [name = ''] = word.split('=', 1);
    const option = known.find(
      ({ long, short }) => name === `--${long}` || (short !== undefined && name === `-${short}`),
    );
    if (option === undefined) continue;
    found.push(option.long);
    // What follows is its value, whatever it looks like.
    if (option.value !== undefined && !word.includes('=')) at++;
  }
  return found;
}

/** @throws NetkitError `usage` for a command that `--atomic` could not take back */
export function refuseInAtomic(row: Row, { args, values }: Parsed): void {
  const { name } = row;
  if (values.get('dry-run') === true) return;
  const why = leaving.get(name) ?? (row.changes === true ? irreversible(row, args, values) : undefined);
  if (why === undefined) return;
  throw new NetkitError('usage', `--atomic could not take '${name}' back: ${why}`, {
    hint: 'leave --atomic out, or run that command by itself',
  });
}

function irreversible({ name }: Row, args: Parsed['args'], values: Parsed['values']): string | undefined {
  if (!undoable.has(name)) return 'there is no way back';
  if (name === 'replace' && values.get('test') !== undefined) return 'its tests may write to maps';
  if (name === 'detach' && String(args.program).startsWith('id:'))
    return "a link that is named by its id may be somebody else's";
  return args.when === 'lock' || values.get('lock') === true
    ? 'values are put back without taking their lock'
    : undefined;
}

/** The map whose entries a command would change. */
export function writtenReference({ name }: Row, { args }: Parsed): string | undefined {
  const reference = name === 'map copy' ? args.target : args.reference;
  const writes = name.startsWith('map ') && undoable.has(name);
  return writes && typeof reference === 'string' ? reference : undefined;
}
