import { describe, expect, it } from 'vitest';
import { allowedCpus, busyNs, cpuList } from '../../../src/host/affinity.js';

describe('a list of CPUs', () => {
  it.each([
    ['0', [0]],
    ['0-3', [0, 1, 2, 3]],
    ['0,2-3,8', [0, 2, 3, 8]],
    ['62-65', [62, 63, 64, 65]],
  ])('%s is %j', (text, cpus) => {
    expect(cpuList(text)).toEqual(cpus);
  });
});

describe('this process', () => {
  it('may run on some CPU, and has done so', () => {
    expect(allowedCpus().length).toBeGreaterThan(0);
    expect(busyNs(process.pid) ?? 1).toBeGreaterThan(0);
    expect(busyNs('own') ?? 1).toBeGreaterThan(0);
  });

  it('knows nothing of a thread that there is not', () => {
    expect(busyNs(2 ** 30)).toBeUndefined();
  });
});
