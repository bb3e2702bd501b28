/** Refusals that have to do with the stack, and with registers that hold nothing. */
import { accessOf, accessWords, byteCount } from './access.js';
import type { Finding, Form, Scene } from './explanation.js';
import { bigOf } from './registers.js';
import { callBeforeTailCall, deepestCall } from './stack-depth.js';
import { invalidatingCall, stalePacket } from './stale-pointers.js';

/** Bytes that all functions of a way may have together. */
const stackBytes = 512;
const limitMend =
  'put large buffers into a per-CPU array map of one entry, or into fewer functions that call each other';

const readBeforeWritten: Form = {
  pattern:
    /^invalid (indirect )?read from stack (?:R(\d+) )?(?:off (-?\d+)\+(\d+)|var_off \S+ \S+\+(\d+)) size (\d+)/m,
  find: ([, , number, start, more, , size], scene) =>
    unwritten(scene, Number(size), start === undefined ? undefined : -(Number(start) + Number(more)), number),
};

/** Kernels before 6.3, and later ones without CAP_PERFMON, refuse to read what was not written. */
function unwritten(
  scene: Scene,
  size: number,
  below: number | undefined,
  number: string | undefined,
): Finding {
  const place = below === undefined ? '' : `, the first ${byteCount(below)} below its top`;
  return {
    rule: 'stack-uninitialised',
    message:
      scene.helper === undefined
        ? `reads ${byteCount(Number(size))} of the stack that were never written`
        : `${scene.helper}() would read ${byteCount(Number(size))} of the stack, of which some were never written${place}`,
    mend:
      scene.helper === undefined
        ? 'give the variable a value where it is declared: = {} or = 0'
        : 'clear the whole variable, its padding included, before it is filled: __builtin_memset(&key, 0, sizeof(key))',
    registers: number === undefined ? pointerOf(scene) : [`R${number}`],
  };
}

function pointerOf({ text }: Scene): string[] {
  const base = /\(r(\d+) [-+]/.exec(text)?.[1];
  return base === undefined ? [] : [`R${base}`];
}

/** `off=-600`: through the frame pointer itself, so that the function has more variables than there is stack. */
function outside(
  scene: Scene,
  number: string | undefined,
  off: string | undefined,
  size: string | undefined,
): Finding {
  const register = number ?? /\(r(\d+) [-+]/.exec(scene.text)?.[1];
  const offset = off === undefined ? undefined : Number(off);
  if (register === '10' && offset !== undefined && offset < -stackBytes) {
    return {
      rule: 'stack-limit',
      message: `the variables of this function need ${-offset} bytes of stack, and there are ${stackBytes}`,
      mend: limitMend,
      registers: [],
    };
  }
  if (Number(size) === 0 && scene.helper !== undefined) return emptyLength(scene);
  if (offset !== undefined && offset >= -stackBytes && offset + Number(size ?? 1) <= 0) {
    return unwritten(scene, Number(size ?? 1), -offset, register);
  }
  const where =
    offset === undefined
      ? 'at a place of the stack that is not bounded'
      : offset >= 0
        ? `${offset === 0 ? 'at' : `${offset} bytes above`} the top of the stack`
        : offset < -stackBytes
          ? `${-offset} bytes below the top of the stack, which has ${stackBytes}`
          : `at ${-offset} bytes below the top of the stack, beyond the variable`;
  return {
    rule: 'stack-bounds',
    message: `${accessWords(scene.text, scene.helper, size === undefined ? undefined : Number(size))} ${where}`,
    mend:
      scene.helper === undefined
        ? 'bound the index by the size of the array before it is used: if (index >= LENGTH) return …;'
        : 'give the helper the size of the buffer that it gets: sizeof(buffer)',
    registers: register === undefined ? [] : [`R${register}`],
  };
}

function emptyLength(scene: Scene): Finding {
  return {
    rule: 'unbounded-length',
    message: `${scene.helper}() is given a length that may be 0`,
    mend: 'leave out what has no length before the call: if (length == 0 || length > sizeof(buffer)) return …;',
    registers: [],
  };
}

const stackAccess: Form = {
  pattern:
    /^invalid (?:(?:unbounded )?(?:variable-offset )?(?:indirect )?(?:read from|write to|access to) stack|stack type) R(\d+)(?: var_off=\(([^)]*)\))?(?: off=(-?\d+))?(?: (?:access_)?size=(\d+))?/m,
  find: ([whole, number, variable, off, size], scene) =>
    variableOffset(scene, number, variable ?? (whole.includes('unbounded') ? '' : undefined)) ??
    outside(scene, number, off, size),
};

/** Places of the stack that an index chooses. */
function variableOffset(
  scene: Scene,
  number: string | undefined,
  variable: string | undefined,
): Finding | undefined {
  if (variable === undefined) return undefined;
  const most = furthest(scene, number);
  const size = accessOf(scene.text);
  const isInside = most !== undefined && most + BigInt(size?.bytes ?? 1) <= 0n;
  if (isInside && size?.kind === 'read') return unwritten(scene, size.bytes, undefined, number);
  const open = variable === '' || most === undefined || most > 1n << 29n;
  return {
    rule: 'stack-bounds',
    message: `${accessWords(scene.text, scene.helper, undefined)} of the stack at an index ${open ? 'without a bound' : 'that may lie outside of the array'}`,
    mend: 'bound the index by the size of the array before it is used: if (index >= LENGTH) return …;',
    registers: number === undefined ? pointerOf(scene) : [`R${number}`],
  };
}

/** The largest offset of a pointer into the stack: from 7.0 on the kernel prints it in one piece. */
function furthest(scene: Scene, number: string | undefined): bigint | undefined {
  const fields = scene.register(number)?.fields;
  const fixed = fields?.get('off');
  const variable = bigOf(fields?.get(fixed === undefined ? 'smax' : 'umax') ?? '');
  return variable === undefined ? undefined : variable + BigInt(fixed ?? 0);
}

export const stackForms: readonly Form[] = [
  readBeforeWritten,
  {
    pattern: /^combined stack size of (\d+) calls is (\d+)\. Too large/m,
    find([, calls, total], scene) {
      const deepest = deepestCall(
        scene.context.functions,
        scene.log.stackDepths,
        Number(calls),
        Number(total),
      );
      const name = deepest === undefined ? undefined : scene.context.functions[deepest.target]?.name;
      return {
        rule: 'stack-limit',
        message: `${name === undefined ? 'the functions of a way' : `with the call of ${name}() the functions of a way`} need ${total} bytes of stack together, and there are ${stackBytes}`,
        mend: limitMend,
        at: deepest?.at,
      };
    },
  },
  {
    pattern: /^tail_calls are not allowed when call stack of previous frames is (\d+) bytes/m,
    find([, total], scene) {
      const { functions } = scene.context;
      const call = callBeforeTailCall(functions, scene.log.stackDepths, Number(total));
      const name = call === undefined ? undefined : functions[call.target]?.name;
      return {
        rule: 'stack-limit',
        message: `${name === undefined ? 'a function' : `${name}()`} makes tail calls while the functions that called it use ${total} bytes of stack, and 255 are possible then`,
        mend: 'make the tail call from the program itself, or move the large buffer of the caller into a map of one entry a CPU',
        at: call?.at,
      };
    },
  },
  {
    pattern: /^the call stack of (\d+) frames is too deep/m,
    find: ([, frames]) => ({
      rule: 'stack-limit',
      message: `calls go ${frames} functions deep, and 8 are possible`,
      mend: 'there is no recursion: turn it into a loop with a bound, and put functions that are called in a row into one',
    }),
  },
  {
    pattern: /^recursive call from (\w+)\(\) to (\w+)\(\)/m,
    find: ([, from, to], { context }) => ({
      rule: 'stack-limit',
      message:
        from === to
          ? `${from}() calls itself: each call takes more of the stack`
          : `${from}() calls ${to}(), which called it: each call takes more of the stack`,
      mend: 'there is no recursion: turn it into a loop with a bound',
      at: context.functions
        .find(({ name }) => name === from)
        ?.calls.find(({ target }) => context.functions[target]?.name === to)?.at,
    }),
  },
  {
    pattern: /[Ss]tack size (\d+).*[Tt]oo large|call stack of previous frames is (\d+) bytes/,
    find: ([, size, before]) => ({
      rule: 'stack-limit',
      message:
        before === undefined
          ? `a function needs ${size} bytes of stack, and there are ${stackBytes}`
          : `a tail call is made with ${before} bytes of stack in use, which is too much for another program's`,
      mend: limitMend,
    }),
  },
  stackAccess,
  {
    pattern: /^invalid stack (?:off|type)[= ]?(?:R(\d+) )?(?:off=)?(-?\d+)? ?(?:access_)?(?:size=(\d+))?/m,
    find: ([, number, off, size], scene) => outside(scene, number, off, size),
  },
  {
    pattern:
      /(?:^|R(\d+) )variable stack (?:read )?access|R(\d+) (?:unbounded indirect variable offset stack access|(?:max|min) value is outside of stack bound|indirect variable offset stack access|stack pointer arithmetic goes out of range)/m,
    find: ([, first, other], scene) => variableOffset(scene, first ?? other, 'unknown'),
  },
  {
    pattern: /R(\d+) !read_ok/,
    find([, number], scene) {
      // Without CAP_PERFMON they hold nothing afterwards; with it, a number.
      const stale = scene.text.startsWith('exit') ? undefined : invalidatingCall(scene, `R${number}`);
      if (stale !== undefined && /^[6-9]$/.test(number ?? '')) return stalePacket(`R${number}`, stale);
      const returns = scene.text.startsWith('exit');
      const afterCall =
        /^[1-5]$/.test(number ?? '') &&
        scene.log.steps.slice(0, -1).some(({ text }) => text.startsWith('call'));
      return {
        rule: 'register-uninitialised',
        message: returns
          ? 'returns a value that was never set on this way'
          : `uses R${number}, which holds nothing${afterCall ? ' any more: a call clears R1 to R5' : ' on this way'}`,
        mend: returns
          ? 'give the variable that is returned a value on every way, at best where it is declared'
          : afterCall
            ? 'keep what is needed after a call in a variable of its own, and in assembly in R6 to R9'
            : 'give the variable a value on every way, at best where it is declared',
        registers: [],
      };
    },
  },
];
