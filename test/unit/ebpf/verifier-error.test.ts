import { describe, expect, it } from 'vitest';
import { VerifierError } from '../../../src/ebpf/verifier-error.js';
import type { Explanation } from '../../../src/obj/verifier/explanation.js';

const log = 'anything\n';
const place = { file: 'a.bpf.c', line: 7, source: '  return *v;' };
const explanation: Explanation = {
  rule: 'null-pointer',
  message: 'reads 8 bytes through a pointer that may be null',
  mend: 'compare it with null first',
  registers: [{ name: 'R0', state: 'map_value_or_null(id=1)', words: 'R0 is a value or null' }],
  place: { ...place, column: 0 },
  related: [{ place: { file: 'b.h', line: 3, column: 0, source: 'x();' }, about: 'where it began' }],
  reason: "R0 invalid mem access 'map_value_or_null'",
  instruction: 7,
};

describe('the error of a refusal', () => {
  it('says in words what is wrong where, hints at the source and how to mend it, and keeps the whole log', () => {
    const error = new VerifierError('count', { reason: explanation.reason, place, explanation, log });
    expect(error.message).toBe(
      "the verifier refused program 'count' at a.bpf.c:7: reads 8 bytes through a pointer that may be null",
    );
    expect(error.hint).toBe('the line is: return *v; — compare it with null first');
    expect(error.exitStatus).toBe(7);
    expect(error.details).toEqual({
      program: 'count',
      rule: 'null-pointer',
      reason: "R0 invalid mem access 'map_value_or_null'",
      mend: 'compare it with null first',
      registers: explanation.registers,
      ...place,
      related: [{ file: 'b.h', line: 3, source: 'x();', about: 'where it began' }],
      log,
    });
  });

  it("has the verifier's own sentence when the refusal is none that netkit explains, and says so", () => {
    const error = new VerifierError('count', { reason: 'odd', place, explanation: undefined, log });
    expect(error.message).toBe("the verifier refused program 'count' at a.bpf.c:7: odd");
    expect(error.hint).toBe('the line is: return *v; — this refusal is none of those that netkit explains');
    expect(error.details).toMatchObject({ rule: null, mend: null, registers: [], related: [] });
  });

  it('does without a place where there is none', () => {
    const error = new VerifierError('count', {
      reason: 'odd',
      place: undefined,
      explanation: undefined,
      log: '',
      lacking: 'be root',
    });
    expect(error.message).toBe("the verifier refused program 'count': odd");
    expect(error.hint).toBe('be root');
    expect(error.details).toMatchObject({ file: null, line: null, source: null });
  });
});
