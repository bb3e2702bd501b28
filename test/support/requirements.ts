import { describe, it } from 'vitest';
import { type Capability, effectiveCapabilities } from '../../src/host/capabilities.js';
import { findTool } from '../../src/host/command.js';
import { atLeast, kernelRelease } from '../../src/host/kernel.js';

/** What a group of tests needs from the machine. */
export interface Requirements {
  readonly capabilities?: readonly Capability[];
  /** Programs in PATH or the system directories. */
  readonly tools?: readonly string[];
  /** Oldest kernel, as [major, minor]. */
  readonly kernel?: readonly [number, number];
  /** Anything else: a reason when it is missing, `undefined` when all is well. */
  readonly check?: () => string | undefined;
}

/** What tests need that load and attach programs in namespaces of their own. */
export const root: Requirements = {
  capabilities: ['bpf', 'net_admin', 'perfmon', 'sys_admin'],
  tools: ['ip', 'tc', 'bpftool'],
};

/** What of `needs` the machine lacks, in words; empty when nothing does. */
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

/**
 * `describe` for tests that need something of the machine. Where it is missing they are skipped, with the reason in the
 * group's name and on standard error; with CI=true they fail instead.
 */
export function describeWith(needs: Requirements, name: string, tests: () => void): void {
  const reasons = missing(needs);
  if (reasons.length === 0) {
    describe(name, tests);
    return;
  }
  const reason = `needs ${reasons.join(', ')}`;
  if (process.env.CI === 'true') {
    describe(name, () => {
      it('finds on this machine what it needs', () => {
        throw new Error(reason);
      });
    });
    return;
  }
  process.stderr.write(`skipped: ${name}: ${reason}\n`);
  describe.runIf(false)(`${name} [${reason}]`, tests);
}

/** {@link describeWith} for the usual case: everything that `root` lists, and `more`. */
export function describeAsRoot(name: string, tests: () => void, more: Requirements = {}): void {
  const capabilities = [...(root.capabilities ?? []), ...(more.capabilities ?? [])];
  describeWith({ ...more, capabilities, tools: [...(root.tools ?? []), ...(more.tools ?? [])] }, name, tests);
}
