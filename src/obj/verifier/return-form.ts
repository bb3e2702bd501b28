import type { SourceLine } from '../source-lines.js';
import type { Form, Scene } from './explanation.js';

/** Return values that the hook does not know. */
export const returnForm: Form = {
  pattern:
    /^At (program exit|async callback(?: return)?|callback return|subprogram exit) the register R0 (?:has value \(([^;)]*); ([^)]*)\)|has smin=(-?\d+) smax=(-?\d+)|has unknown scalar value|is not a known value \(([^)]*)\)|.*?)(?: should have been in (.*))?$|R0 leaks addr as return value/m,
  find([, where, value, mask, smallest, largest, kind, wanted], scene) {
    const known = value !== undefined && /^0x0$/.test(mask ?? '') ? BigInt(value) : undefined;
    const what =
      kind !== undefined
        ? 'a pointer or a number that is not known'
        : known !== undefined
          ? signed(known)
          : smallest !== undefined && smallest === largest
            ? signed(BigInt(smallest))
            : smallest === undefined
              ? 'a number that is not bounded'
              : `a number from ${smallest} to ${largest}`;
    const at = returnInstruction(scene);
    const range = wanted === undefined ? undefined : rangeWords(wanted);
    return {
      rule: 'return-value',
      message: `${where === undefined || where === 'program exit' ? 'the program' : 'the callback'} returns ${what}${range === undefined ? '' : `, and for its type only ${range} ${/to/.test(range) ? 'are' : 'is'} allowed`}`,
      mend: `return a constant that the hook knows${range === undefined ? '' : ` (${range})`} on every way, or bound what is returned before`,
      registers: ['R0'],
      at,
      line: returnStatement(
        scene,
        at,
        known === undefined ? (smallest === largest ? smallest : undefined) : `${known}`,
      ),
    };
  },
};

/** A negative number of 32 bits comes as a large one. */
function signed(value: bigint): string {
  return value > 0x7fff_ffffn && value <= 0xffff_ffffn
    ? `${value - 0x1_0000_0000n} (as ${value})`
    : `${value}`;
}

/** `(0x0; 0x1)`: bits that may be set; `[0, 3]`. */
function rangeWords(wanted: string): string {
  const list = /\[(-?\d+), (-?\d+)\]/.exec(wanted);
  if (list !== null) return list[1] === list[2] ? `${list[1]}` : `${list[1]} to ${list[2]}`;
  const [, value = '0x0', mask = '0x0'] = /\((0x[0-9a-f]+); (0x[0-9a-f]+)\)/.exec(wanted) ?? [];
  const low = BigInt(value);
  const high = low + BigInt(mask);
  return low === high ? `${low}` : `${low} to ${high}`;
}

/** The return statement: an `exit` that several share has the line of another, or of the closing brace. */
function returnInstruction({ log, context }: Scene): number | undefined {
  const last = log.steps.at(-1);
  if (last === undefined) return undefined;
  let wanted = 'r0';
  for (let at = log.steps.length - 2; at >= 0; at--) {
    const step = log.steps[at];
    if (step === undefined || step.frame !== last.frame) continue;
    const written = /^([rw]\d+) (\S*=) ?(.*)$/.exec(step.text);
    const isResult = wanted === 'r0' && /^(call|exit)/.test(step.text);
    if (!isResult && written?.[1]?.replace('w', 'r') !== wanted) continue;
    const source = context.line(step.index)?.source ?? '';
    // A copy to R0 at the end: where the copied value comes from says more, when it is a return.
    const copied = /^[rw]\d+ = ([rw])(\d+)$/.exec(step.text);
    if (copied !== null && !/\breturn\b/.test(source)) {
      wanted = `r${copied[2]}`;
      continue;
    }
    if (/\breturn\b/.test(source)) return step.index;
    const exit = context.line(last.index)?.source ?? '';
    return /\breturn\b/.test(exit) && !branchesOnlyAt(context, last.index) ? last.index : step.index;
  }
  return last.index;
}

/** Whether other ways join here, so that its line may be that of another return. */
function branchesOnlyAt(context: Scene['context'], at: number): boolean {
  return context.functions.some(({ jumps }) => jumps.some(({ to }) => to === at));
}

/**
 * The statement `return 2;`, when the compiler made one instruction of several: then no instruction has its line, but the
 * source may be there to look at.
 */
function returnStatement(
  { context }: Scene,
  instruction: number | undefined,
  value: string | undefined,
): SourceLine | undefined {
  if (instruction === undefined || value === undefined) return undefined;
  const home = context.functions.find(({ first, end }) => first <= instruction && instruction < end);
  const line = context.line(instruction);
  if (home === undefined || line === undefined || /\breturn\b/.test(line.source)) return undefined;
  const text = context.source?.(line.file);
  if (text?.[line.line - 1]?.trim() !== line.source) return undefined;
  const lines: number[] = [];
  for (let at = home.first; at < home.end; at++) {
    const each = context.line(at);
    if (each?.file === line.file) lines.push(each.line);
  }
  const statement = new RegExp(`\\breturn\\s+\\(*${value}\\b`);
  const found = text.findIndex(
    (each, at) => at + 1 >= Math.min(...lines) && at + 1 <= Math.max(...lines) && statement.test(each),
  );
  return found < 0 ? undefined : { ...line, line: found + 1, column: 0, source: text[found]?.trim() ?? '' };
}
