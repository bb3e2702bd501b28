/** `--field port=be16`: byte orders of members that their types do not tell. */
import { NetkitError } from '../base/errors.js';
import { suggestion } from '../base/suggest.js';
import { codecFor, type FieldOrder } from '../obj/codec/index.js';
import type { MapPart, PartType } from '../obj/map-codecs.js';

export type FieldOrders = Readonly<Record<string, FieldOrder>>;

const orders = ['be16', 'be32', 'be64'] as const satisfies readonly FieldOrder[];
const bitsOf = { be16: 16, be32: 32, be64: 64 } as const;

/** Reads the texts of the option. @throws NetkitError `usage` */
export function parseFieldOrders(given: readonly string[]): FieldOrders {
  const parsed = new Map<string, FieldOrder>();
  for (const text of given) {
    const [, name = '', word = ''] = /^([^=\s]+)=(.*)$/.exec(text) ?? [];
    if (name === '')
      throw new NetkitError('usage', `--field: '${text}' is not MEMBER=ORDER, such as port=be16`);
    const order = orders.find((known) => known === word);
    if (order === undefined) {
      throw new NetkitError('usage', `--field: '${word}' is no byte order for ${name}`, {
        hint: suggestion(word, orders),
      });
    }
    if (parsed.has(name)) throw new NetkitError('usage', `--field: ${name} is given twice`);
    parsed.set(name, order);
  }
  return Object.fromEntries(parsed);
}

/** A key or value that has a type with members. */
export interface TypedPart {
  readonly part: MapPart;
  readonly type: PartType;
}

/**
 * Which orders concern the key and which the value: `key.port` and `value.port` say so themselves, `port` is meant for
 * both where both have it.
 * @throws NetkitError `bad-value` for a member that neither has
 */
export function ordersByPart(fields: FieldOrders, typed: readonly TypedPart[]): Record<MapPart, FieldOrders> {
  const found: Record<MapPart, Record<string, FieldOrder>> = { key: {}, value: {} };
  for (const [given, order] of Object.entries(fields)) {
    const [, forced, rest = given] = /^(key|value)\.(.+)$/.exec(given) ?? [];
    // A member may itself be called `key`.
    const wanted = [given, rest].flatMap((name) =>
      typed
        .filter(({ part }) => name === given || part === forced)
        .filter(({ type }) => hasMember(type, name, order))
        .map(({ part }) => ({ part, name })),
    );
    if (wanted.length === 0) throw noMember(given, order, typed);
    for (const { part, name } of wanted) found[part][name] = order;
  }
  return found;
}

function hasMember({ btf, id }: PartType, name: string, order: FieldOrder): boolean {
  try {
    codecFor(btf, id, { fieldOrders: { [name]: order } });
    return true;
  } catch (error) {
    if (error instanceof NetkitError) return false;
    throw error;
  }
}

function noMember(given: string, order: FieldOrder, typed: readonly TypedPart[]): NetkitError {
  if (typed.length === 0) {
    return new NetkitError('bad-value', `--field: neither keys nor values of this map have a type`, {
      hint: 'name one with --key-type or --value-type, and --types OBJ',
    });
  }
  const owners = typed.map(({ part, type }) => `the ${part} (${type.btf.nameOf(type.id)})`);
  const members = typed.flatMap(({ part, type }) => membersOf(type, part));
  return new NetkitError(
    'bad-value',
    `--field: ${owners.join(' and ')} ${owners.length === 1 ? 'has' : 'have'} no member '${given}' of ${bitsOf[order]} bits`,
    { hint: suggestion(given, members) },
  );
}

/** Members that a person could have meant. */
function membersOf({ btf, id }: PartType, part: MapPart): string[] {
  try {
    return codecFor(btf, id, { role: part }).columns.flatMap(({ path }) => (path === '' ? [] : [path]));
  } catch (error) {
    if (error instanceof NetkitError) return [];
    throw error;
  }
}
