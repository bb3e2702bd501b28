import { describe, expect, it } from 'vitest';
import { parseKernelConfig } from '../../../src/host/kernel-config.js';

describe('the configuration of a kernel', () => {
  it('has what is set, numbers and texts without quotes, and nothing that is not', () => {
    const config = parseKernelConfig(
      [
        '#',
        '# Automatically generated file; DO NOT EDIT.',
        'CONFIG_BPF=y',
        'CONFIG_NET_ACT_BPF=m',
        '# CONFIG_TEST_BPF is not set',
        'CONFIG_HZ=250',
        'CONFIG_LSM="lockdown,bpf"',
        'CONFIG_EMPTY=""',
        '',
      ].join('\n'),
    );
    expect([...config]).toEqual([
      ['CONFIG_BPF', 'y'],
      ['CONFIG_NET_ACT_BPF', 'm'],
      ['CONFIG_HZ', '250'],
      ['CONFIG_LSM', 'lockdown,bpf'],
      ['CONFIG_EMPTY', ''],
    ]);
  });

  it('is empty where the text is none', () => {
    expect(parseKernelConfig('nothing here').size).toBe(0);
  });
});
