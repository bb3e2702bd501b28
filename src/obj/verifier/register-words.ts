/** Registers in words: «R3 is a packet pointer with 0 bytes checked». */
import { byteCount } from './access.js';
import { bigOf, checkedBytes, knownNumber, type RegisterState } from './registers.js';

/** A sentence without full stop about what the verifier knows of a register. */
export function registerWords(register: RegisterState): string {
  const { name, type, fields } = register;
  const orNull = /_or_null(?:_|$)/.test(type);
  const base = type
    .replace(/_or_null(?=_|$)/, '')
    .replace(/^(?:rdonly_|untrusted_|trusted_|rcu_|percpu_|user_)+/, '');
  const words = pointerWords(base, register) ?? kindWords.get(base);
  if (type === 'scalar') return `${name} ${numberWords(register)}`;
  if (words === undefined) {
    const pointed = /^ptr_(\w+?)_?$/.exec(base)?.[1];
    const what =
      pointed === undefined ? `what the kernel calls '${type}'` : `a pointer to a kernel's struct ${pointed}`;
    return `${name} is ${what}${orNull ? ', or null' : ''}`;
  }
  return `${name} is ${words}${orNull ? ', or null: it has not been compared with it' : moved(base, fields)}`;
}

const kindWords: ReadonlyMap<string, string> = new Map([
  ['ctx', "the program's context"],
  ['pkt_end', "the packet's end (data_end)"],
  ['pkt_meta', "a pointer to the packet's metadata"],
  ['map_key', 'a pointer to a key of a map'],
  ['sock', 'a socket'],
  ['sock_common', 'a socket, of which only the common fields are known'],
  ['tcp_sock', 'a TCP socket'],
  ['xdp_sock', 'an XDP socket'],
  ['flow_keys', 'a pointer to flow keys'],
  ['tp_buffer', "a pointer to a raw tracepoint's buffer"],
  ['buf', 'a pointer to a buffer'],
  ['dynptr_ptr', 'a dynptr'],
  ['func', 'the address of a function'],
]);

function pointerWords(base: string, register: RegisterState): string | undefined {
  const { fields } = register;
  switch (base) {
    case 'pkt':
      return `a packet pointer${packetPlace(fields)} with ${byteCount(checkedBytes(register))} checked`;
    case 'fp':
    case 'stack':
      return `a pointer into the stack${stackPlace(fields)}`;
    case 'map_value': {
      const map = fields.get('map');
      const size = fields.get('vs');
      return `a pointer to a value of ${map === undefined ? 'a map' : `the map ${map}`}${size === undefined ? '' : ` (${size} bytes)`}`;
    }
    case 'map_ptr': {
      const map = fields.get('map');
      return map === undefined ? 'a map' : `the map ${map}`;
    }
    case 'mem':
    case 'alloc_mem':
    case 'ringbuf_mem': {
      const size = fields.get('sz') ?? fields.get('mem_size');
      const what = base === 'mem' ? 'memory' : 'a ring buffer record';
      return `a pointer to ${what}${size === undefined ? '' : ` of ${size} bytes`}`;
    }
    default:
      return undefined;
  }
}

function packetPlace(fields: ReadonlyMap<string, string>): string {
  const range = variablePart(fields);
  const offset = fields.get('off') ?? fields.get('imm') ?? '0';
  if (range === undefined) return offset === '0' ? '' : ` ${offset} bytes into the packet`;
  return ` a variable number of bytes into the packet`;
}

function stackPlace(fields: ReadonlyMap<string, string>): string {
  const offset = Number(fields.get('off') ?? 0);
  if (variablePart(fields) !== undefined) return ' at a place that varies';
  if (offset === 0) return '';
  return offset < 0 ? `, ${-offset} bytes below its top` : `, ${offset} bytes above its top`;
}

function variablePart(fields: ReadonlyMap<string, string>): string | undefined {
  return fields.get('umax') ?? fields.get('smax') ?? fields.get('var_off');
}

function moved(base: string, fields: ReadonlyMap<string, string>): string {
  if (base === 'pkt' || base === 'fp' || base === 'stack') return '';
  const offset = fields.get('off') ?? fields.get('imm') ?? '0';
  const varies = variablePart(fields);
  const fixed = offset === '0' ? '' : `, moved by ${offset} bytes`;
  if (varies === undefined) return fixed;
  const most = fields.get('umax');
  return `${fixed}, moved by a variable number of bytes${most === undefined ? '' : ` of up to ${decimal(most)}`}`;
}

const largest32 = 0xffff_ffffn;

function numberWords(register: RegisterState): string {
  const known = knownNumber(register);
  if (known !== undefined) return `is the number ${known}`;
  const { smallest, largest } = numberRange(register);
  if (smallest === undefined && largest === undefined) return 'is a number of which nothing is known';
  if (smallest === 0n && largest === largest32) return 'is a 32-bit number of which nothing else is known';
  if (smallest === undefined) return `is a number of up to ${largest}, and perhaps negative`;
  if (largest === undefined) return `is a number of at least ${smallest}`;
  return `is a number from ${smallest} to ${largest}`;
}

/** The bounds of a number as it is used for offsets and lengths: signed, and open where the verifier knows none. */
export function numberRange(register: RegisterState): {
  smallest: bigint | undefined;
  largest: bigint | undefined;
} {
  const known = knownNumber(register);
  if (known !== undefined) return { smallest: known, largest: known };
  const { fields } = register;
  const smin = bounded(fields.get('smin'));
  const umin = bounded(fields.get('umin'));
  const umax = bounded(fields.get('umax'));
  const smax = bounded(fields.get('smax')) ?? umax;
  const isUnsigned = umax !== undefined && umax < 1n << 63n;
  const smallest = smin ?? umin ?? (isUnsigned ? 0n : undefined);
  const largest = isUnsigned && (smax === undefined || umax < smax) ? umax : smax;
  return { smallest, largest };
}

function bounded(text: string | undefined): bigint | undefined {
  if (text === undefined) return undefined;
  const value = bigOf(text);
  // The ends of 64 bits are what the verifier prints for «not known».
  return value === undefined || value <= -(1n << 63n) || value >= (1n << 63n) - 1n ? undefined : value;
}

function decimal(text: string): string {
  return String(bigOf(text) ?? text);
}
