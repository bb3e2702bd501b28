import { describe, expect, it } from 'vitest';
import type { Present, Wanted } from '../../../../src/ebpf/dispatcher/change.js';
import { adding, placing, removing, replacing } from '../../../../src/ebpf/dispatcher/edits.js';
import { Program } from '../../../../src/ebpf/program.js';
import { Fd } from '../../../../src/sys/fd.js';

const program = new Program(new Fd(-1));

function present(programId: number, more: Partial<Present> = {}): Present {
  return {
    name: `member_${programId}`,
    priority: 50,
    proceedOn: ['pass'],
    actions: 0x80000104,
    frags: false,
    loaded: { tag: '00', loadTimeNs: 1n },
    program,
    programId,
    open: () => program,
    ...more,
  };
}

const members = [present(1), present(2), present(3)];
const newcomer: Wanted = {
  name: 'newcomer',
  priority: 7,
  proceedOn: ['tx'],
  frags: true,
  loaded: undefined,
  open: () => program,
};

describe('an edit of a chain', () => {
  it('adds a member to those that are there, unless it is one of them', () => {
    expect(adding(newcomer)(members)).toEqual([...members, newcomer]);
    expect(adding(newcomer, 4)(members)).toEqual([...members, newcomer]);
    expect(adding(newcomer, 2)(members)).toBeUndefined();
  });

  it('removes a member, and changes nothing when it is gone already', () => {
    expect(removing(2)(members)).toEqual([members[0], members[2]]);
    expect(removing(4)(members)).toBeUndefined();
  });

  it('gives a new program the place of the old one, with every bit of its verdicts', () => {
    const { priority: _, proceedOn: __, ...next } = newcomer;
    expect(replacing(2, next)(members)?.[1]).toEqual({
      ...next,
      priority: 50,
      proceedOn: ['pass'],
      actions: 0x80000104,
    });
    expect(() => replacing(4, next)(members)).toThrow(expect.objectContaining({ code: 'not-found' }));
  });

  it('changes what is asked for, and nothing when it is so already', () => {
    expect(placing(2, { priority: 3 })(members)?.[1]).toMatchObject({ priority: 3, actions: 0x80000104 });
    const moved = placing(2, { proceedOn: ['drop'] })(members)?.[1];
    expect(moved).toMatchObject({ priority: 50, proceedOn: ['drop'], actions: undefined });
    expect(placing(2, { priority: 50, proceedOn: ['pass'] })(members)).toBeUndefined();
    expect(() => placing(4, { priority: 3 })(members)).toThrow(
      expect.objectContaining({ code: 'not-found' }),
    );
  });
});
