import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { chosenProgram } from '../../../../src/bench/scenarios/program/choose.js';
import { ObjectSpec } from '../../../../src/obj/spec.js';

const object = (name: string): ObjectSpec =>
  ObjectSpec.readSync(join(import.meta.dirname, '../../../fixtures/objects', `${name}.bpf.o`));
const onPackets = (type: string): boolean => type === 'xdp' || type === 'sched_cls';

describe('the program that is measured', () => {
  test('is the only one that runs on packets, or the one that is named', () => {
    const only = chosenProgram(object('tc'), undefined, onPackets);
    expect(object('tc').programs.map(({ name }) => name)).toContain(only);
    const [first] = object('many').programs;
    expect(chosenProgram(object('many'), first?.name, onPackets)).toBe(first?.name);
  });

  test('is asked for when there are several, with their names', () => {
    expect(() => chosenProgram(object('many'), undefined, onPackets)).toThrow(/programs: which one is meant/);
  });

  test('has to be there, and to run on packets', () => {
    const [name = ''] = object('tc').programs.map((each) => each.name);
    expect(() => chosenProgram(object('tc'), `${name}x`, onPackets)).toThrow(`no program '${name}x'`);
    expect(() => chosenProgram(object('tc'), name, () => false)).toThrow('runs on no packets');
    expect(() => chosenProgram(object('tc'), undefined, () => false)).toThrow(
      'no program that runs on packets',
    );
  });
});
