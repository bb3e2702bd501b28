import { readFileSync } from 'node:fs';
import { machine } from 'node:os';
import {
  atLeast,
  hasKernelBtf,
  jitSetting,
  kernelRelease,
  kernelVersion,
  lockdownMode,
  unprivilegedBpf,
} from '../../host/kernel.js';
import { type Check, check } from './check.js';

/** What the kernel is, and how it is set up. */
export function kernelChecks(): Check[] {
  return [version(), architecture(), btf(), jit(), unprivileged(), lockdown(), ...memoryLimit()];
}

function version(): Check {
  const found = `Linux ${kernelRelease()}`;
  if (atLeast(5, 10)) return check('kernel', 'ok', found);
  return check('kernel', 'missing', `${found} is older than 5.10`, 'netkit needs Linux 5.10 or newer');
}

function architecture(): Check {
  if (process.arch === 'x64' || process.arch === 'arm64') return check('machine', 'ok', machine());
  return check('machine', 'missing', `netkit does not know ${machine()}`, 'netkit runs on x86-64 and arm64');
}

function btf(): Check {
  if (hasKernelBtf()) return check('kernel BTF', 'ok', '/sys/kernel/btf/vmlinux');
  return check(
    'kernel BTF',
    'warning',
    'none: no vmlinux.h, no programs that adapt to the kernel (CO-RE), no fentry, LSM or iterators',
    'use a kernel built with CONFIG_DEBUG_INFO_BTF=y',
  );
}

function jit(): Check {
  const setting = jitSetting();
  switch (setting) {
    case 'on':
    case 'debug':
      return check('JIT', 'ok', setting === 'on' ? 'on' : 'on, and prints its code to the kernel log');
    case 'off':
      return check(
        'JIT',
        'warning',
        'off: programs are interpreted, many times slower',
        'sysctl net.core.bpf_jit_enable=1',
      );
    default:
      return check(
        'JIT',
        'unknown',
        'the kernel does not say, as in a network namespace other than the first',
      );
  }
}

function unprivileged(): Check {
  const name = 'unprivileged bpf';
  switch (unprivilegedBpf()) {
    case 'allowed':
      return check(
        name,
        'warning',
        'users without privileges may load some programs: a way into the kernel for attackers',
        'sysctl kernel.unprivileged_bpf_disabled=2',
      );
    case 'disabled':
      return check(name, 'ok', 'off');
    case 'disabled-for-good':
      return check(name, 'ok', 'off until the next boot');
    default:
      return check(name, 'unknown', 'the kernel does not say');
  }
}

function lockdown(): Check {
  const mode = lockdownMode();
  if (mode !== 'confidentiality') return check('lockdown', 'ok', mode);
  return check(
    'lockdown',
    'warning',
    'confidentiality: tracing programs cannot read kernel memory',
    "boot without 'lockdown=confidentiality' to trace",
  );
}

/** From 5.11 on the memory of maps counts for the cgroup, and this limit is nothing to netkit. */
function memoryLimit(): Check[] {
  if (atLeast(5, 11, kernelVersion())) return [];
  const limits = readFileSync('/proc/self/limits', 'utf8');
  const [, soft = 'unknown'] = /^Max locked memory\s+(\S+)/m.exec(limits) ?? [];
  if (soft === 'unlimited') return [check('locked memory', 'ok', 'unlimited')];
  return [
    check(
      'locked memory',
      'warning',
      `at most ${soft} bytes, which maps count against before Linux 5.11`,
      'ulimit -l unlimited',
    ),
  ];
}
