import { describe, expect, it } from 'vitest';
import { packetType, readVerdict } from '../../../src/cli/verdicts.js';

function verdictOf(word: string, returned: number) {
  const type = packetType(word);
  if (type === undefined) throw new Error(`${word} is no type for packets`);
  return readVerdict(type, returned);
}

describe('a verdict', () => {
  it.each([
    ['xdp', 0, 0, 'aborted'],
    ['xdp', 1, 1, 'drop'],
    ['xdp', 2, 2, 'pass'],
    ['xdp', 3, 3, 'tx'],
    ['xdp', 4, 4, 'redirect'],
    ['sched_cls', 0, 0, 'ok'],
    ['sched_cls', 2, 2, 'shot'],
    ['sched_cls', 7, 7, 'redirect'],
    ['lwt_in', 2, 2, 'drop'],
    ['netfilter', 1, 1, 'accept'],
    ['cgroup_skb', 1, 1, 'pass'],
  ] as const)('of %s that is %i has the number %i and the name %s', (word, returned, verdict, name) => {
    expect(verdictOf(word, returned)).toEqual({ verdict, name });
  });

  it('of tc is signed: the largest number is -1, which lets the next program look', () => {
    expect(verdictOf('sched_cls', 4294967295)).toEqual({ verdict: -1, name: 'next' });
  });

  it('of XDP is not signed', () => {
    expect(verdictOf('xdp', 4294967295)).toEqual({ verdict: 4294967295, name: null });
  });

  it('without a name in the kernel has none', () => {
    expect(verdictOf('xdp', 5).name).toBeNull();
    expect(verdictOf('socket_filter', 0).name).toBeNull();
  });

  it('does not exist for programs that do not run on packets', () => {
    for (const word of ['kprobe', 'tracing', 'sk_lookup', 'nonsense'])
      expect(packetType(word)).toBeUndefined();
  });
});
