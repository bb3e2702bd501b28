/** What a verification took, as the last lines of a log tell at the level of statistics. */

export interface VerifierStatistics {
  /** Instructions that the verifier went through, on all ways together; `undefined` when it did not get that far. */
  readonly processed: number | undefined;
  /** How many it would have gone through before giving up. */
  readonly limit: number | undefined;
  /** The largest number of states kept for one instruction. */
  readonly maxStatesPerInstruction: number | undefined;
  readonly totalStates: number | undefined;
  /** The largest number of states that were kept at a time. */
  readonly peakStates: number | undefined;
  /** Microseconds. */
  readonly microseconds: number | undefined;
  /** Bytes of stack of the program and of each function that it calls, in the verifier's order. */
  readonly stackDepths: readonly number[];
}

const summary =
  /^processed (\d+) insns \(limit (\d+)\) max_states_per_insn (\d+) total_states (\d+) peak_states (\d+)/m;

/** Reads the statistics of a log; what the log does not tell is undefined. */
export function readStatistics(log: string): VerifierStatistics {
  const [, processed, limit, perInstruction, total, peak] = summary.exec(log) ?? [];
  return {
    processed: count(processed),
    limit: count(limit),
    maxStatesPerInstruction: count(perInstruction),
    totalStates: count(total),
    peakStates: count(peak),
    microseconds: count(/^verification time (\d+) usec/m.exec(log)?.[1]),
    stackDepths: (/^stack depth ([\d+]+)/m.exec(log)?.[1] ?? '')
      .split('+')
      .filter((text) => text !== '')
      .map(Number),
  };
}

function count(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}
