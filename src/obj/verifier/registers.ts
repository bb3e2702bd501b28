/** Register states as the verifier prints them, and what they mean in words. */

/** What the verifier knows of a register. */
export interface RegisterState {
  /** `R3` */
  readonly name: string;
  /** As printed: `pkt(off=14,r=14)`. */
  readonly text: string;
  /** `scalar`, `pkt`, `fp`, `map_value_or_null`; older kernels' `inv` is `scalar` here. */
  readonly type: string;
  /** What stands in the parentheses, by name. */
  readonly fields: ReadonlyMap<string, string>;
}

const constant = /^P?(-?\d+|-?0x[0-9a-f]+)$/;

/** @param text `inv(id=0,umax_value=255)`, `P0`, `fp-8`, `map_value(map=counts,ks=4,vs=8)` */
export function readRegister(name: string, text: string): RegisterState {
  const plain = text.replace(/^inv(?=[P\d(-]|$)/, '');
  const number = constant.exec(plain)?.[1];
  if (number !== undefined) return { name, text, type: 'scalar', fields: new Map([['value', number]]) };
  const [, word = '', inside = ''] = /^([^(]*)(?:\((.*)\))?$/.exec(plain) ?? [];
  const fields = fieldsOf(inside);
  // `scalar(id=1)`, `(id=1)` of what was `inv(id=1)`, and `inv` alone.
  if (word === '' || word === 'scalar' || word === 'Pscalar' || word === 'P')
    return { name, text, type: 'scalar', fields };
  const place = /^fp(-?\d+)$/.exec(word)?.[1];
  if (place !== undefined) return { name, text, type: 'fp', fields: new Map([...fields, ['off', place]]) };
  return { name, text, type: word, fields };
}

/** `smin=smin32=0,umax=255,var_off=(0x0; 0xff)`: several names may share a value. */
function fieldsOf(inside: string): Map<string, string> {
  const fields = new Map<string, string>();
  for (const piece of inside.split(/,(?![^(]*\))/)) {
    const parts = piece.split('=');
    const value = parts.pop() ?? '';
    for (const key of parts) fields.set(key.replace(/_value$/, '').replace(/^u32_/, 'u32'), value);
  }
  return fields;
}

/** One line of registers: `R1=ctx() R10=fp0 fp-8=mmmm????`. What follows the registers is left out. */
export function readRegisters(line: string): Map<string, RegisterState> {
  const found = new Map<string, RegisterState>();
  for (const [name, text] of assignments(line)) found.set(name, readRegister(name, text));
  return found;
}

function* assignments(line: string): Generator<readonly [string, string]> {
  const start = /\b(R\d+)(?:_[a-z]+)?=/g;
  for (let match = start.exec(line); match !== null; match = start.exec(line)) {
    const from = match.index + match[0].length;
    const to = endOfState(line, from);
    yield [match[1] ?? '', line.slice(from, to)];
    start.lastIndex = to;
  }
}

/** A state ends at the first space outside of parentheses. */
function endOfState(line: string, from: number): number {
  let depth = 0;
  for (let at = from; at < line.length; at++) {
    const character = line[at];
    if (character === '(') depth++;
    else if (character === ')') depth--;
    else if (character === ' ' && depth === 0) return at;
  }
  return line.length;
}

/** A register that holds one known number. */
export function knownNumber({ type, fields }: RegisterState): bigint | undefined {
  const value = type === 'scalar' ? fields.get('value') : undefined;
  return value === undefined ? undefined : bigOf(value);
}

export function bigOf(text: string): bigint | undefined {
  if (!/^-?(\d+|0x[0-9a-f]+)$/.test(text)) return undefined;
  return text.startsWith('-') ? -BigInt(text.slice(1)) : BigInt(text);
}

/** How many bytes behind a packet pointer are known to be there; at data_end or behind it there are none. */
export function checkedBytes({ fields }: RegisterState): number {
  const range = bigOf(fields.get('r') ?? '0') ?? 0n;
  return range < 0n || range > 0xffff_ffffn ? 0 : Number(range);
}
