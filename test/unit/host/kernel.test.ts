import { describe, expect, it } from 'vitest';
import {
  atLeast,
  parseJitSetting,
  parseKernelVersion,
  parseLockdown,
  parseUnprivilegedBpf,
} from '../../../src/host/kernel.js';

describe('kernel version', () => {
  it.each([
    ['6.18.44-cloud-1', 6, 18, 44],
    ['5.10', 5, 10, 0],
    ['5.10.0-28-amd64', 5, 10, 0],
    ['6.12-rc3+', 6, 12, 0],
    ['7.2.1+deb14-amd64', 7, 2, 1],
  ])('of %s', (release, major, minor, patch) => {
    expect(parseKernelVersion(release)).toEqual({ major, minor, patch });
  });

  it.each(['', 'linux', '6', 'v6.1'])('refuses %j', (release) => {
    expect(() => parseKernelVersion(release)).toThrow('does not start with a version');
  });

  it('compares by number, not by text', () => {
    const version = parseKernelVersion('5.10.3');
    expect(atLeast(5, 9, version)).toBe(true);
    expect(atLeast(5, 10, version)).toBe(true);
    expect(atLeast(5, 11, version)).toBe(false);
    expect(atLeast(4, 20, version)).toBe(true);
    expect(atLeast(6, 0, version)).toBe(false);
  });
});

describe('kernel settings', () => {
  it('reads the JIT setting, and nothing from a missing file', () => {
    expect(['0', '1', '2', undefined].map(parseJitSetting)).toEqual(['off', 'on', 'debug', undefined]);
  });

  it('reads who may use bpf', () => {
    const read = ['0', '1', '2', undefined].map(parseUnprivilegedBpf);
    expect(read).toEqual(['allowed', 'disabled-for-good', 'disabled', undefined]);
  });

  it('takes the lockdown mode in brackets', () => {
    expect(parseLockdown('[none] integrity confidentiality')).toBe('none');
    expect(parseLockdown('none [integrity] confidentiality')).toBe('integrity');
    expect(parseLockdown('none integrity [confidentiality]')).toBe('confidentiality');
    expect(parseLockdown('')).toBe('none');
  });
});
