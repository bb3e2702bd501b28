import { describe, expect, it } from 'vitest';
import { queueProblem } from '../../../../src/ebpf/feature/driver-queues.js';

const channels = (combined: number, maxCombined: number) => ({
  rx: 0,
  tx: 0,
  combined,
  maxRx: 0,
  maxTx: 0,
  maxCombined,
});

describe('queues for XDP', () => {
  it.each([
    ['ena', 4, 8, undefined],
    ['ena', 5, 8, 4],
    ['gve', 16, 16, 8],
    ['virtio_net', 2, 8, undefined],
    ['virtio_net', 7, 8, 4],
    ['veth', 8, 8, undefined],
  ])('of %s, %i of %i in use: to be made %s', (driver, used, most, queues) => {
    expect(queueProblem(driver, channels(used, most), 4)?.queues).toBe(queues);
  });

  it('are those of both directions where the driver has no combined ones', () => {
    const separate = { rx: 6, tx: 8, combined: 0, maxRx: 8, maxTx: 8, maxCombined: 0 };
    expect(queueProblem('ena', separate, 1)).toMatchObject({
      queues: 4,
      problem: expect.stringContaining('8 of 8'),
    });
  });

  it('cannot be made enough where the card has too few', () => {
    expect(queueProblem('virtio_net', channels(1, 1), 8)).toMatchObject({ queues: undefined });
  });

  it('are no matter without a driver that tells', () => {
    expect(queueProblem(undefined, channels(8, 8), 1)).toBeUndefined();
    expect(queueProblem('ena', undefined, 1)).toBeUndefined();
  });
});
