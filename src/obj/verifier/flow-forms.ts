/** Refusals of the way a program goes: loops, size, what it returns, its context, arithmetic on pointers, read-only memory. */
import { accessWords } from './access.js';
import type { Finding, Form, RefusalRule, Scene } from './explanation.js';
import { busiestLoop, type Loop, loopAround } from './loops.js';
import { returnForm } from './return-form.js';

const loopMend =
  'give the loop a bound that is a constant: for (int i = 0; i < MAX && …; i++), or use bpf_for() or bpf_loop()';

const endless: Form = {
  pattern: /infinite loop detected at insn (\d+)|^back-edge from insn (\d+) to (\d+)|^loop detected/m,
  find([, again, from, to], scene) {
    const at = Number(again ?? from ?? scene.log.steps.at(-1)?.index ?? 0);
    const loop = loopAround(scene.context, at);
    if (
      scene.context.functions.some(({ calls }) => calls.some((call) => call.at === at && from !== undefined))
    ) {
      return {
        rule: 'stack-limit',
        message: 'a function calls itself, or one that called it: each call takes more of the stack',
        mend: 'there is no recursion: turn it into a loop with a bound',
        at,
      };
    }
    return {
      rule: 'endless-loop',
      message:
        to === undefined
          ? 'comes back to where it was with nothing changed: the loop may never end'
          : 'goes back to an earlier instruction: this user may not load programs with loops',
      mend: loopMend,
      at: loopLine(scene, loop) ?? at,
    };
  },
};

/** Of the loop's lines the one that a reader takes for the loop. */
function loopLine({ context }: Scene, loop: Loop | undefined): number | undefined {
  if (loop === undefined) return undefined;
  for (const keyword of [/\b(?:for|while|bpf_for|bpf_repeat)\b\s*\(/, /\bdo\b|\bgoto\b/]) {
    for (let at = loop.from; at <= loop.to; at++) {
      if (keyword.test(context.line(at)?.source ?? '')) return at;
    }
  }
  return undefined;
}

const complex: Form = {
  pattern:
    /^(?:BPF program is too large\. Processed (\d+) insn|[Tt]he sequence of (\d+) jumps is too complex|program too large|too many (?:states|subprog))/m,
  find([, processed, jumps], scene) {
    const loop = busiestLoop(scene.context, scene.log.steps);
    const at = loopLine(scene, loop) ?? loop?.from;
    const size =
      jumps === undefined
        ? `the verifier gave up after ${processed ?? 'too many'} instructions`
        : `the verifier gave up with ${jumps} branches open`;
    return {
      rule: 'too-complex',
      message:
        loop === undefined
          ? `${size}: there are too many ways through the program`
          : `${size}, most of them in this loop: it goes round too often, or how often is not known`,
      mend:
        loop === undefined
          ? 'split it into functions that are verified by themselves (not static, not inline), or into programs that tail-call each other; leave out branches'
          : 'bound the loop by a small constant, use bpf_for() or bpf_loop() whose body is verified once, or put the body into a function that is not static',
      at: at ?? scene.log.steps.at(-1)?.index,
    };
  },
};

const contextAccess: Form = {
  pattern:
    /^invalid bpf_context access off=(-?\d+) size=(\d+)|(variable ctx access|dereference of modified ctx ptr|negative offset (?:modified )?ctx ptr|stores into R\d+ ctx is not allowed)|^func '([^']+)' (?:doesn't have (\d+)-th argument|offset (\d+) is not|size)|(?:invalid access to ctx|access beyond (?:struct|the end))|R\d+ is ptr_\w+ (?:invalid negative|access)/m,
  find([, off, size, how, called], scene) {
    const type = scene.context.programType;
    if (off !== undefined) {
      const what = accessWords(scene.text, undefined, Number(size));
      return {
        rule: 'context-access',
        message: `${what} of the context at offset ${off}, which programs of type ${type} may not${what.startsWith('write') ? ' write' : ''}, or not in this size`,
        mend: what.startsWith('write')
          ? 'this field is read-only here: use the helper that changes it (bpf_skb_…, bpf_xdp_…), or another program type'
          : 'read the fields of the context whole and by their names, and only those that exist for this program type',
        registers: baseRegister(scene),
      };
    }
    return {
      rule: 'context-access',
      message:
        called !== undefined
          ? `reads an argument that ${called}() does not have`
          : how?.startsWith('variable') === true
            ? 'reaches into the context at an offset that is not a constant'
            : how?.startsWith('stores') === true
              ? 'changes the context with an operation that is not allowed on it'
              : 'uses a pointer into the middle of the context as if it were the context, or at an offset that is not in the instruction',
      mend:
        called !== undefined
          ? "take no more arguments than the kernel's function has: BPF_PROG(name, …) with its own parameters"
          : 'access its fields by name (ctx->field), and hand ctx on as it came: pointers calculated from it are not accepted',
      registers: baseRegister(scene),
    };
  },
};

function baseRegister({ text, log }: Scene): string[] {
  const base = /\(r(\d+) [-+]/.exec(text)?.[1] ?? /R(\d+)/.exec(log.reason)?.[1];
  return base === undefined ? [] : [`R${base}`];
}

const readOnly: Form = {
  pattern:
    /^(write into map forbidden|read from map forbidden|.*cannot write into (\w+)|only read is supported|frame pointer is read only|.*type=rdonly_\w+ expected=)/m,
  find([, sentence = '', target], scene): Finding {
    const reading = sentence.startsWith('read from');
    const where = target ?? (sentence.includes('map') ? 'map' : '');
    const thing =
      where === 'packet' || where === 'pkt'
        ? 'the packet'
        : where === 'map'
          ? 'a map that programs may not write, such as constants (.rodata) or one with BPF_F_RDONLY_PROG'
          : 'memory that programs may only read';
    const packet = thing === 'the packet';
    return {
      rule: 'read-only',
      message: reading
        ? 'reads from a map that programs may only write (BPF_F_WRONLY_PROG)'
        : packet
          ? `writes into the packet, which programs of type ${scene.context.programType} may only read`
          : `writes into ${thing}`,
      mend: reading
        ? 'leave out BPF_F_WRONLY_PROG where the map is declared'
        : packet
          ? 'change packets in a program of type xdp or tc (sched_cls), which may'
          : 'write into a global variable without const, or leave out BPF_F_RDONLY_PROG where the map is declared',
      registers: baseRegister(scene),
    };
  },
};

const arithmetic: Form = {
  pattern:
    /R(\d+) (?:(pointer (?:\+=|-=) pointer|pointer arithmetic|tried to subtract pointer|subtraction from|bitwise operator|32-bit pointer|pointer comparison|partial copy)).*|^(math between (\w+) pointer and (.*?)(?: is not allowed)?|value -?\d+ makes \w+ pointer.*|(\w+) pointer offset -?\d+ is not allowed|.*pointer (?:arithmetic|with unsupported alu).*)$/m,
  find([whole, number, , math, kind, other], scene) {
    const on = /pointer arithmetic on (\w+)/.exec(whole)?.[1];
    const unbounded = other?.startsWith('register with unbounded') === true;
    const moved = kind ?? /(\w+) pointer (?:offset|be out)/.exec(whole)?.[1];
    const indexed = unbounded ? unboundedIndex(scene, kind) : undefined;
    if (indexed !== undefined) return indexed;
    return {
      rule: 'pointer-arithmetic',
      message: arithmeticWords(whole, on, math === undefined ? undefined : moved, unbounded),
      mend: unbounded
        ? 'bound the number before it is added: if (offset > MAX) return …; in an unsigned variable'
        : on === 'pkt_end' || on === 'pkt_end_'
          ? 'move data instead: if (data + size > data_end) return …;'
          : /32-bit/.test(whole)
            ? 'keep the address in a variable of 64 bits (void *, unsigned long); only differences fit into 32'
            : 'add or subtract plain numbers only, and those to packet, map value and stack pointers only; distances are pointer minus pointer of the same kind',
      registers: number === undefined ? operands(scene) : [`R${number}`, ...operands(scene)],
    };
  },
};

/** What is written as an index is a matter of bounds: with a smaller type it would be refused as that. */
function unboundedIndex(scene: Scene, kind: string | undefined): Finding | undefined {
  const source = scene.context.line(scene.log.steps.at(-1)?.index ?? 0)?.source ?? '';
  const rule = boundsOf.get(kind ?? '');
  if (rule === undefined || !/[\w)]\[[^\]]*[A-Za-z]/.test(source)) return undefined;
  return {
    rule,
    message: 'uses an index that may be negative, or of which nothing is known',
    mend: 'make the index unsigned and bound it before it is used: if (index >= LENGTH) return …;',
    registers: operands(scene),
  };
}

const boundsOf: ReadonlyMap<string, RefusalRule> = new Map([
  ['pkt', 'packet-bounds'],
  ['map_value', 'map-value-bounds'],
  ['fp', 'stack-bounds'],
  ['mem', 'map-value-bounds'],
]);

function arithmeticWords(
  whole: string,
  on: string | undefined,
  kind: string | undefined,
  unbounded: boolean,
): string {
  const named: Readonly<Record<string, string>> = {
    pkt: 'a packet pointer',
    pkt_end: 'data_end',
    map_value: 'a map value pointer',
    map_ptr: 'a map',
    fp: 'a stack pointer',
    ctx: 'the context',
  };
  if (kind !== undefined) {
    const pointer = named[kind] ?? `a pointer of kind '${kind}'`;
    return unbounded ? `adds a number without bounds to ${pointer}` : `moves ${pointer} too far`;
  }
  if (/pointer \+= pointer/.test(whole)) return 'adds two pointers';
  if (/pointer -= pointer/.test(whole)) return 'subtracts pointers of different kinds';
  if (/tried to subtract/.test(whole)) return 'subtracts a pointer from a number';
  if (/bitwise/.test(whole)) return 'changes single bits of a pointer';
  if (/32-bit/.test(whole)) return 'calculates with the lower 32 bits of a pointer';
  if (/comparison/.test(whole)) return 'compares pointers that may not be compared';
  if (on !== undefined) return `calculates with ${named[on] ?? `a pointer of kind '${on}'`}`;
  return 'calculates with a pointer in a way that is not allowed';
}

/** The registers of `r1 += r2`. */
function operands({ text }: Scene): string[] {
  const [, left, right] = /^[rw](\d+) \S*= ?(?:[rw](\d+))?/.exec(text) ?? [];
  return [left, right].flatMap((each) => (each === undefined ? [] : [`R${each}`]));
}

export const flowForms: readonly Form[] = [complex, endless, returnForm, readOnly];
export const useForms: readonly Form[] = [contextAccess, arithmetic];
