import { existsSync, readFileSync } from 'node:fs';
import { release } from 'node:os';
import { NetkitError } from '../base/errors.js';

/** The part of a kernel's release that features depend on. */
export interface KernelVersion {
  readonly major: number;
  readonly minor: number;
  /** 0 when the release does not say. */
  readonly patch: number;
}

/** Whether and how the kernel compiles eBPF to machine code; 'debug' also prints the code to the kernel log. */
export type JitSetting = 'off' | 'on' | 'debug';

/** Who may use bpf(2) without CAP_BPF; 'disabled-for-good' cannot be changed before a reboot. */
export type UnprivilegedBpf = 'allowed' | 'disabled-for-good' | 'disabled';

/** The lockdown mode of the kernel; 'confidentiality' takes away reading kernel memory from eBPF programs. */
export type LockdownMode = 'none' | 'integrity' | 'confidentiality';

/** The kernel's release as `uname -r` prints it, such as «6.1.0-18-amd64». */
export function kernelRelease(): string {
  return release();
}

/** Reads the version at the start of a release: «6.18.44-fc» is 6.18.44, «5.10» is 5.10.0. Throws 'failed' on other text. */
export function parseKernelVersion(text: string): KernelVersion {
  const match = /^(\d+)\.(\d+)(?:\.(\d+))?(?!\d)/.exec(text);
  if (match === null)
    throw new NetkitError('failed', `the kernel's release '${text}' does not start with a version`);
  const [, major, minor, patch] = match;
  return { major: Number(major), minor: Number(minor), patch: Number(patch ?? 0) };
}

/** The version of the running kernel. */
export function kernelVersion(): KernelVersion {
  return parseKernelVersion(kernelRelease());
}

/** Whether `version` (of the running kernel when left out) is major.minor or newer. */
export function atLeast(major: number, minor: number, version: KernelVersion = kernelVersion()): boolean {
  return version.major > major || (version.major === major && version.minor >= minor);
}

/** An identifier of this boot, as text; descriptors, ids and ifindexes recorded under another one mean nothing. */
export function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}

/** A new random identifier, from the kernel: node:crypto would take 3 ms to load. */
export function newUuid(): string {
  return readFileSync('/proc/sys/kernel/random/uuid', 'utf8').trim();
}

/** The file with the running kernel's BTF. It may not exist: see {@link hasKernelBtf}. */
export const kernelBtfPath = '/sys/kernel/btf/vmlinux';

/** Whether the running kernel describes its own types (CONFIG_DEBUG_INFO_BTF). */
export function hasKernelBtf(): boolean {
  return existsSync(kernelBtfPath);
}

/** The kernel's JIT setting; `undefined` without JIT, and in a network namespace other than the first one. */
export function jitSetting(): JitSetting | undefined {
  return parseJitSetting(readSetting('/proc/sys/net/core/bpf_jit_enable'));
}

/** Who may use bpf(2) without CAP_BPF; `undefined` when the kernel does not say. */
export function unprivilegedBpf(): UnprivilegedBpf | undefined {
  return parseUnprivilegedBpf(readSetting('/proc/sys/kernel/unprivileged_bpf_disabled'));
}

/** The lockdown mode; 'none' on a kernel built without it. */
export function lockdownMode(): LockdownMode {
  return parseLockdown(readSetting('/sys/kernel/security/lockdown') ?? '');
}

export function parseJitSetting(text: string | undefined): JitSetting | undefined {
  const settings: Readonly<Record<string, JitSetting>> = { '0': 'off', '1': 'on', '2': 'debug' };
  return settings[text ?? ''];
}

export function parseUnprivilegedBpf(text: string | undefined): UnprivilegedBpf | undefined {
  const settings: Readonly<Record<string, UnprivilegedBpf>> = {
    '0': 'allowed',
    '1': 'disabled-for-good',
    '2': 'disabled',
  };
  return settings[text ?? ''];
}

/** Reads «none [integrity] confidentiality»: the mode in brackets holds. */
export function parseLockdown(text: string): LockdownMode {
  const mode = /\[(\w+)\]/.exec(text)?.[1];
  return mode === 'integrity' || mode === 'confidentiality' ? mode : 'none';
}

function readSetting(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined;
  }
}
