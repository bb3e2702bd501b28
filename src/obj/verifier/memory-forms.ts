/** Refusals of what a program reads and writes: packets, map values, pointers that may be null or are none. */
import { accessWords, byteCount } from './access.js';
import type { Finding, Form, Scene } from './explanation.js';
import { numberRange } from './register-words.js';
import { bigOf, knownNumber, type RegisterState } from './registers.js';
import { invalidatingCall, releasingCall, stalePacket } from './stale-pointers.js';

const packetMend =
  'compare with the end before: if (pointer + size > data_end) return …; — on every way that leads here, with the same pointer';
const indexMend =
  'bound the index before it is used: if (index >= LENGTH) return …; or index &= LENGTH - 1 when it is a power of two';

const packetAccess: Form = {
  pattern: /^invalid access to packet, off=(-?\d+) size=(\d+), R(\d+)\(id=(\d+),off=(-?\d+),r=(-?\d+)\)/m,
  find([, off, size, number, , , range], { text, helper, register }) {
    const most = bigOf(register(number)?.fields.get('umax') ?? '');
    const what = accessWords(text, helper, Number(size));
    const checked = byteCount(Math.max(0, Number(range)));
    const before = Number(off) < 0;
    return {
      rule: 'packet-bounds',
      message: before
        ? `${what} of the packet ${-Number(off)} bytes in front of what was checked`
        : `${what} of the packet at ${most === undefined ? `offset ${off}` : `an offset that varies, of up to ${BigInt(off ?? 0) + most}`}, where ${checked} ${Number(range) === 1 ? 'is' : 'are'} known to be there`,
      mend: packetMend,
      registers: [`R${number}`],
    };
  },
};

const packetEnd: Form = {
  pattern: /R(\d+) invalid mem access '(pkt_end)'/,
  find: ([, number], { text }) => ({
    rule: 'packet-bounds',
    message: `${accessWords(text, undefined, undefined)} at data_end, which is behind the last byte of the packet`,
    mend: 'data_end is there to be compared with; read through a pointer that begins at data',
    registers: [`R${number}`],
  }),
};

/** One sentence for several kinds of memory: the register tells which. */
const unboundedAccess: Form = {
  pattern:
    /R(\d+) (unbounded memory access, make sure to bounds check|min value is negative, either use unsigned index|(?:max|min) value is outside of the (?:allowed memory|array) range|pointer arithmetic of map value goes out of range)/,
  find([, number, how = ''], scene) {
    const register = scene.register(number);
    const negative = how.startsWith('min value is negative');
    const problem = negative
      ? 'an offset that may be negative'
      : how.startsWith('unbounded')
        ? 'an offset without an upper bound'
        : 'an offset that may lie outside';
    const mend = negative
      ? 'make the index unsigned, or compare it with 0 as well: if (index < 0 || index >= LENGTH) return …;'
      : indexMend;
    return {
      ...kindOf(register, `${accessWords(scene.text, scene.helper, undefined)} at ${problem} of`),
      mend: register?.type === 'pkt' ? packetMend : mend,
      registers: [`R${number}`],
    };
  },
};

function kindOf(register: RegisterState | undefined, what: string): Pick<Finding, 'rule' | 'message'> {
  switch (register?.type) {
    case 'pkt':
    case 'pkt_meta':
      return { rule: 'packet-bounds', message: `${what} the packet` };
    case 'fp':
      return { rule: 'stack-bounds', message: `${what} the stack` };
    case 'mem':
    case 'ringbuf_mem':
    case 'alloc_mem':
      return { rule: 'map-value-bounds', message: `${what} a piece of memory` };
    default: {
      const map = register?.fields.get('map');
      return {
        rule: 'map-value-bounds',
        message: `${what} ${map === undefined ? 'a map value' : `a value of map ${map}`}`,
      };
    }
  }
}

const mapValue: Form = {
  pattern:
    /^invalid access to (map value|map key|memory), (?:value_size|key_size|mem_size)=(\d+) off=(-?\d+) size=(\d+)(?:\nR(\d+))?/m,
  find([, kind, whole, off, size, number], scene) {
    const what = accessWords(scene.text, scene.helper, Number(size));
    const where = kind === 'memory' ? 'a piece of memory' : `a ${kind}`;
    const register = scene.register(number);
    const varies = register?.fields.has('umax') === true || register?.fields.has('var_off') === true;
    const offset = Number(off) < 0 ? `${-Number(off)} bytes before the start` : `at offset ${off}`;
    return {
      rule: 'map-value-bounds',
      message: `${what} ${varies && Number(off) >= 0 ? `up to offset ${off}` : offset} of ${where} that has ${byteCount(Number(whole))}`,
      mend:
        scene.helper !== undefined && !varies
          ? 'give the helper the size of the memory that it gets: sizeof(*value)'
          : varies
            ? indexMend
            : 'stay within the type that the map declares for its values, or declare a larger one',
      registers: number === undefined ? [] : [`R${number}`],
    };
  },
};

const checkMend = 'compare it with null first, on every way that leads here: if (!value) return …;';

const maybeNull: Form = {
  pattern: /R(\d+) invalid mem access '(\w*_or_null_?)'/,
  find: ([, number], scene) => ({
    rule: 'null-pointer',
    message: `${accessWords(scene.text, undefined, undefined)} through a pointer that may be null${origin(scene, number)}`,
    mend: checkMend,
    registers: [`R${number}`],
  }),
};

const nullArgument: Form = {
  pattern: /R(\d+) type=(\w*_or_null_?) expected=/,
  find: ([, number], scene) => ({
    rule: 'null-pointer',
    message: `${scene.helper ?? 'a function'}() is given a pointer that may be null${origin(scene, number)}`,
    mend: checkMend,
    registers: [`R${number}`],
  }),
};

const nullArithmetic: Form = {
  pattern:
    /R(\d+) pointer arithmetic on \w*_or_null_? prohibited|Possibly NULL pointer passed to \w+ (?:arg|R)(\d+)|null-check it first/,
  find: ([, number, argument], scene) => ({
    rule: 'null-pointer',
    message:
      argument === undefined
        ? `calculates with a pointer that may be null${origin(scene, number)}`
        : `a function is given a pointer that may be null as argument ${Number(argument) + 1}`,
    mend: checkMend,
    registers: number === undefined ? [] : [`R${number}`],
  }),
};

/** The call that gave the pointer: «, which bpf_map_lookup_elem() returned». */
function origin(scene: Scene, number: string | undefined): string {
  const type = scene.register(number)?.type ?? '';
  if (type.startsWith('map_value')) {
    const map = scene.register(number)?.fields.get('map');
    return map === undefined ? ': the result of a map lookup' : `: the result of a lookup in map ${map}`;
  }
  if (/^(ringbuf_mem|alloc_mem|mem)/.test(type)) return ': the result of a reservation';
  if (/sock/.test(type)) return ': a socket that may not be there';
  return '';
}

const noPointer: Form = {
  pattern: /R(\d+) invalid mem access '(inv|scalar|unknown)'/,
  find([, number = ''], scene) {
    const register = scene.register(number);
    const name = `R${number}`;
    if (register !== undefined && knownNumber(register) === 0n) {
      return {
        rule: 'null-pointer',
        message: `${accessWords(scene.text, undefined, undefined)} through a pointer that is null on this way`,
        mend: 'the comparison with null is the wrong way round, or missing an early return: if (!value) return …;',
        registers: [name],
      };
    }
    const invalidating = invalidatingCall(scene, name);
    if (invalidating !== undefined) return stalePacket(name, invalidating);
    const releasing = releasingCall(scene, name);
    if (releasing !== undefined) {
      return {
        rule: 'scalar-as-pointer',
        message: `uses what ${releasing.helper}() gave back before`,
        mend: 'read what is needed first, and give it back last',
        registers: [],
        related: [{ at: releasing.at, about: 'here it was given back' }],
      };
    }
    const range = register === undefined ? undefined : numberRange(register);
    const tracing = tracingTypes.has(scene.context.programType);
    return {
      rule: 'scalar-as-pointer',
      message: `${accessWords(scene.text, undefined, undefined)} through a number that the verifier does not know as a pointer`,
      mend:
        tracing && range !== undefined
          ? "kernel memory is read with bpf_probe_read_kernel() or BPF_CORE_READ(), a process's with bpf_probe_read_user()"
          : 'use the pointer as it came from the context, a map lookup or a helper: one that went through an integer, a map or arithmetic is a plain number',
      registers: [name],
    };
  },
};

const tracingTypes = new Set([
  'kprobe',
  'tracepoint',
  'raw_tracepoint',
  'perf_event',
  'tracing',
  'lsm',
  'raw_tracepoint_writable',
]);
export const memoryForms: readonly Form[] = [
  packetAccess,
  packetEnd,
  mapValue,
  maybeNull,
  nullArgument,
  nullArithmetic,
  noPointer,
  unboundedAccess,
  {
    pattern: /R(\d+) offset is outside of the packet/,
    find: ([, number], { text, helper }) => ({
      rule: 'packet-bounds',
      message: `${accessWords(text, helper, undefined)} outside of the part of the packet that is known to be there`,
      mend: packetMend,
      registers: [`R${number}`],
    }),
  },
];
