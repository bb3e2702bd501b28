import { describe, expect, it } from 'vitest';
import { attachTypes, helperFunctions, mapTypes, programTypes } from '../../../../src/base/kernel-words.js';
import { mapPlan } from '../../../../src/ebpf/map-plans.js';
import { attachTypeSince } from '../../../../src/obj/kernel-versions/attach-types.js';
import {
  helperNumber,
  helperSince,
  knownHelpers,
} from '../../../../src/obj/kernel-versions/bpf-functions.js';
import { kfuncSince, knownKfuncs } from '../../../../src/obj/kernel-versions/kfuncs.js';
import { knownMapTypes, mapTypeSince } from '../../../../src/obj/kernel-versions/map-types.js';
import { knownProgramTypes, programTypeSince } from '../../../../src/obj/kernel-versions/program-types.js';
import {
  compareVersions,
  type LinuxVersion,
  versionNumbers,
} from '../../../../src/obj/kernel-versions/version.js';

const isAscending = (versions: readonly (LinuxVersion | undefined)[]): boolean =>
  versions.every((version, at) => {
    const before = versions[at - 1];
    return version !== undefined && (before === undefined || compareVersions(before, version) <= 0);
  });

describe('versions', () => {
  it('compare by their numbers, not as text', () => {
    expect(compareVersions('5.9', '5.10')).toBeLessThan(0);
    expect(compareVersions('6.0', '5.19')).toBeGreaterThan(0);
    expect(compareVersions('4.20', '4.20')).toBe(0);
    expect(versionNumbers('5.10')).toEqual([5, 10]);
  });
});

describe('the version that brought each word of the kernel', () => {
  it('is known for every program type, map type, attach type and helper', () => {
    expect(knownProgramTypes).toEqual(programTypes.slice(1));
    expect(knownMapTypes).toEqual(mapTypes.slice(1));
    expect(knownHelpers).toEqual(helperFunctions.slice(1));
    expect(knownProgramTypes.map(programTypeSince)).not.toContain(undefined);
    expect(knownMapTypes.map(mapTypeSince)).not.toContain(undefined);
    expect(attachTypes.map(attachTypeSince)).not.toContain(undefined);
    expect(knownHelpers.map(helperSince)).not.toContain(undefined);
  });

  it('never goes back from a number to the next one, since the kernel only adds at the end', () => {
    expect(isAscending(knownProgramTypes.map(programTypeSince))).toBe(true);
    expect(isAscending(knownMapTypes.map(mapTypeSince))).toBe(true);
    expect(isAscending(attachTypes.map(attachTypeSince))).toBe(true);
    expect(isAscending(knownHelpers.map(helperSince))).toBe(true);
  });

  it('is the one after which map create explains a refusal', () => {
    for (const type of knownMapTypes)
      expect([type, versionNumbers(mapTypeSince(type) ?? '0.0')]).toEqual([type, mapPlan(type).since]);
  });

  it.each([
    ['map_lookup_elem', '3.19'],
    ['tail_call', '4.2'],
    ['xdp_adjust_head', '4.10'],
    ['probe_read_str', '4.11'],
    ['fib_lookup', '4.18'],
    ['spin_lock', '5.1'],
    ['tcp_gen_syncookie', '5.4'],
    ['jiffies64', '5.6'],
    ['ktime_get_boot_ns', '5.8'],
    ['ringbuf_output', '5.8'],
    ['redirect_peer', '5.10'],
    ['task_storage_get', '5.11'],
    ['for_each_map_elem', '5.13'],
    ['timer_init', '5.15'],
    ['loop', '5.17'],
    ['xdp_load_bytes', '5.18'],
    ['dynptr_read', '5.19'],
    ['tcp_raw_gen_syncookie_ipv4', '6.0'],
    ['user_ringbuf_drain', '6.1'],
    ['cgrp_storage_get', '6.2'],
  ] as const)('is for bpf_%s Linux %s', (helper, since) => {
    expect(helperSince(helper)).toBe(since);
  });

  it.each([
    ['cgroup_inet4_post_bind', '4.17'],
    ['xdp_devmap', '5.8'],
    ['xdp', '5.9'],
    ['tcx_ingress', '6.6'],
    ['netkit_peer', '6.7'],
    ['trace_uprobe_session', '6.13'],
  ] as const)('is for the attach type %s Linux %s', (type, since) => {
    expect(attachTypeSince(type)).toBe(since);
  });

  it('is unknown for what is no word', () => {
    expect(helperSince('unspec')).toBeUndefined();
    expect(programTypeSince('unspec')).toBeUndefined();
    expect(mapTypeSince('unspec')).toBeUndefined();
    expect(kfuncSince('bpf_no_such_function')).toBeUndefined();
  });

  it('is known for the kfuncs of the table, each listed once', () => {
    expect(new Set(knownKfuncs).size).toBe(knownKfuncs.length);
    expect(knownKfuncs.length).toBeGreaterThan(200);
    expect(knownKfuncs.every((name) => /^[a-z_][a-z0-9_]+$/.test(name))).toBe(true);
    expect(kfuncSince('bpf_iter_num_new')).toBe('6.4');
    expect(kfuncSince('bpf_xdp_pull_data')).toBe('6.18');
  });

  it('goes with the number by which instructions call a helper', () => {
    expect(helperNumber('map_lookup_elem')).toBe(1);
    expect(helperNumber('cgrp_storage_delete')).toBe(211);
  });
});
