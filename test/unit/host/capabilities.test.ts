import { describe, expect, it } from 'vitest';
import {
  capabilityHint,
  capabilityNames,
  missingFor,
  parseCapabilities,
} from '../../../src/host/capabilities.js';

const status = (effective: string) =>
  `Name:\tnode\nCapPrm:\t000001ffffffffff\nCapEff:\t${effective}\nCapBnd:\t000001ffffffffff\n`;

describe('capabilities', () => {
  it('are read from the effective set', () => {
    // 1 << 12, 1 << 38, 1 << 39
    expect([...parseCapabilities(status('000000c000001000'))]).toEqual(['net_admin', 'perfmon', 'bpf']);
  });

  it('know every name of a full set', () => {
    expect(parseCapabilities(status('000001ffffffffff')).size).toBe(capabilityNames.length);
    expect(capabilityNames[21]).toBe('sys_admin');
    expect(capabilityNames[24]).toBe('sys_resource');
    expect(capabilityNames[40]).toBe('checkpoint_restore');
  });

  it('are none when the text has no effective set', () => {
    expect(parseCapabilities('').size).toBe(0);
  });

  it('that a task needs and that are missing are named', () => {
    expect(missingFor('load', new Set(['net_admin']))).toEqual(['bpf']);
    expect(missingFor('enumerate', new Set(['bpf', 'net_admin']))).toEqual(['sys_admin']);
    expect(capabilityHint('attach', new Set())).toBe('run as root, or with CAP_BPF and CAP_NET_ADMIN');
    expect(capabilityHint('attach', new Set(['bpf', 'net_admin']))).toBeUndefined();
  });

  it('of the administrator include bpf and perfmon but not net_admin', () => {
    expect(missingFor('load-tracing', new Set(['sys_admin']))).toEqual([]);
    expect(missingFor('attach', new Set(['sys_admin']))).toEqual(['net_admin']);
  });
});
