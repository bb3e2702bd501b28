import { describe, expect, it } from 'vitest';
import { describeHolder, parseHolder } from '../../../src/host/lock.js';

describe('lock holder text', () => {
  it('names command, pid and age', () => {
    const holder = { pid: 123, command: 'netkit load x', since: 1_000_000 };
    expect(describeHolder(holder, 1_004_200)).toBe("'netkit load x' (pid 123, for 4 s)");
  });

  it('counts no negative time when the clock was set back', () => {
    expect(describeHolder({ pid: 1, command: 'netkit off', since: 5000 }, 0)).toBe(
      "'netkit off' (pid 1, for 0 s)",
    );
  });

  it('speaks of another netkit command when nothing is known', () => {
    expect(describeHolder(undefined)).toBe('another netkit command');
  });

  it('reads what a holder wrote', () => {
    expect(parseHolder('{"pid":7,"command":"netkit off","since":9}\n')).toEqual({
      pid: 7,
      command: 'netkit off',
      since: 9,
    });
  });

  it.each([
    '',
    '{"pid":7,"comm',
    'null',
    '[]',
    '{"pid":"7","command":"x","since":1}',
    '{"pid":7,"command":"x"}',
  ])('takes %j for no holder', (text) => {
    expect(parseHolder(text)).toBeUndefined();
  });
});
