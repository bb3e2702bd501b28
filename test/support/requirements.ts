import { readlinkSync } from 'node:fs';
import { describe, it } from 'vitest';
import { allowedCpus } from '../../src/host/affinity.js';
import { type Capability, effectiveCapabilities } from '../../src/host/capabilities.js';
import { findTool } from '../../src/host/command.js';
import { atLeast, kernelRelease } from '../../src/host/kernel.js';
import { emulated, type KernelCapabilityName, kernelLacks } from './known-kernels.js';

/** What a group of tests needs from the machine. */
export interface Requirements {
  readonly capabilities?: readonly Capability[];
  /** Programs in PATH or the system directories. */
  readonly tools?: readonly string[];
  /** Oldest kernel, as [major, minor]. */
  readonly kernel?: readonly [number, number];
  /** What younger kernels have. Unlike all else, its lack is accepted with CI=true too. */
  readonly kernelHas?: readonly KernelCapabilityName[];
  /** Measures time: not on an emulated machine, which is accepted with CI=true too. */
  readonly timing?: true;
  /** Anything else: a reason when it is missing, `undefined` when all is well. */
  readonly check?: () => string | undefined;
}

/** What tests need that load and attach programs in namespaces of their own. */
export const root: Requirements = {
  capabilities: ['bpf', 'net_admin', 'perfmon', 'sys_admin'],
  tools: ['ip', 'tc', 'bpftool'],
};

/** The inode of the first PID namespace, the same on every machine (PROC_PID_INIT_INO of linux/proc_ns.h). */
const firstPidNamespace = 'pid:[4026531836]';

/** What tests need that tell a program in the kernel which process is theirs: it sees the ids of the first PID namespace. */
export const ownProcessId: Requirements = {
  check: () =>
    readlinkSync('/proc/self/ns/pid') === firstPidNamespace
      ? undefined
      : 'the first PID namespace, whose process ids programs in the kernel see',
};

/** What tests need whose client never sleeps, beside {@link ownProcessId}: the server must have another CPU. */
export const twoCpus: Requirements = {
  check: () => (allowedCpus().length < 2 ? 'two CPUs' : ownProcessId.check?.()),
};

/** What of `needs` the machine lacks, in words; empty when nothing does. Without {@link knownLacks}. */
export function missing(needs: Requirements): string[] {
  const held = effectiveCapabilities();
  const reasons = (needs.capabilities ?? [])
    .filter((name) => !held.has(name))
    .map((name) => `CAP_${name.toUpperCase()}`);
  reasons.push(
    ...(needs.tools ?? [])
      .filter((tool) => findTool(tool) === undefined)
      .map((tool) => `the program ${tool}`),
  );
  if (needs.kernel !== undefined && !atLeast(...needs.kernel)) {
    reasons.push(`kernel ${needs.kernel.join('.')} (this is ${kernelRelease()})`);
  }
  const reason = needs.check?.();
  if (reason !== undefined) reasons.push(reason);
  return reasons;
}

/** What of `needs` such a machine is known not to have, in words. */
export function knownLacks(needs: Requirements): string[] {
  const reasons = (needs.kernelHas ?? []).map(kernelLacks).filter((reason) => reason !== undefined);
  if (needs.timing === true && emulated) reasons.push('a machine that is not emulated, as it measures time');
  return reasons;
}

/**
 * `describe` for tests that need something of the machine. Where it is missing they are skipped, with the reason in the
 * group's name and on standard error; with CI=true they fail instead, unless it is a known lack.
 */
export function describeWith(needs: Requirements, name: string, tests: () => void): void {
  const reasons = missing(needs);
  const known = knownLacks(needs);
  if (reasons.length + known.length === 0) {
    describe(name, tests);
    return;
  }
  if (reasons.length > 0 && process.env.CI === 'true') {
    describe(name, () => {
      it('finds on this machine what it needs', () => {
        throw new Error(`needs ${reasons.join(', ')}`);
      });
    });
    return;
  }
  const reason = `needs ${[...reasons, ...known].join(', ')}`;
  process.stderr.write(`skipped: ${name}: ${reason}\n`);
  describe.runIf(false)(`${name} [${reason}]`, tests);
}

/**
 * `it` for a single test in a group that needs more than the rest of the group. Where it is missing the test is skipped
 * with the reason; with CI=true it fails instead, unless it is a known lack.
 */
export function itWith(needs: Requirements, name: string, test: () => void | Promise<void>): void {
  const reasons = missing(needs);
  it(name, async (context) => {
    if (reasons.length > 0 && process.env.CI === 'true') throw new Error(`needs ${reasons.join(', ')}`);
    const all = [...reasons, ...knownLacks(needs)];
    if (all.length > 0) context.skip(`needs ${all.join(', ')}`);
    await test();
  });
}

/** {@link describeWith} for the usual case: everything that `root` lists, and `more`. */
export function describeAsRoot(name: string, tests: () => void, more: Requirements = {}): void {
  const capabilities = [...(root.capabilities ?? []), ...(more.capabilities ?? [])];
  describeWith({ ...more, capabilities, tools: [...(root.tools ?? []), ...(more.tools ?? [])] }, name, tests);
}
