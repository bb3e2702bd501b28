import type { ExplanationContext } from './explanation.js';
import type { Step } from './log.js';

/** The instructions from where a loop begins to the jump back, both included. */
export interface Loop {
  readonly from: number;
  readonly to: number;
}

/** The smallest loop that an instruction is in. */
export function loopAround(context: ExplanationContext, instruction: number): Loop | undefined {
  return innermost(loopsOf(context), instruction);
}

/** The innermost loop that most of the steps were spent in; a function that is called in a loop counts as in it. */
export function busiestLoop(context: ExplanationContext, steps: readonly Step[]): Loop | undefined {
  const loops = loopsOf(context);
  const counts = new Map<Loop, number>();
  const callers: (Loop | undefined)[] = [];
  for (const { index, frame } of steps) {
    callers[frame] = innermost(loops, index) ?? (frame === 0 ? undefined : callers[frame - 1]);
    const loop = callers[frame];
    if (loop !== undefined) counts.set(loop, (counts.get(loop) ?? 0) + 1);
  }
  const [busiest] = [...counts].sort(([, one], [, other]) => other - one);
  if (busiest === undefined || busiest[1] * 2 < steps.length) return undefined;
  return busiest[0];
}

function innermost(loops: readonly Loop[], instruction: number): Loop | undefined {
  return loops.find(({ from, to }) => from <= instruction && instruction <= to);
}

/** Jumps back, the shortest first. */
function loopsOf({ functions }: ExplanationContext): Loop[] {
  return functions
    .flatMap(({ jumps }) =>
      jumps.filter(({ at, to }) => to <= at).map(({ at, to }) => ({ from: to, to: at })),
    )
    .sort((one, other) => one.to - one.from - (other.to - other.from));
}
