/** `netkit bench latency`: how long a round trip is, through each hook and at each load. */
import { NetkitError } from '../../base/errors.js';
import { suggestion } from '../../base/suggest.js';
import type { Scenario } from '../scenario.js';
import { hookNames, hooks } from './latency/hooks.js';
import { LatencyLab, type LatencyLabOptions } from './latency/latency-lab.js';

export interface LatencyOptions extends LatencyLabOptions {
  /** Names of hooks; all when empty. */
  readonly only: readonly string[];
}

/** How long a hook is measured at a load in a block. */
const sliceSeconds = 0.25;

/** @throws NetkitError `usage` for a hook that there is not */
export function latencyScenario({ only, ...options }: LatencyOptions): Scenario {
  const unknown = only.find((name) => !hookNames.includes(name));
  if (unknown !== undefined) {
    throw new NetkitError('usage', `--only: there is no hook '${unknown}'`, {
      hint: suggestion(unknown, hookNames) ?? `the hooks are ${hookNames.join(', ')}`,
    });
  }
  return {
    name: 'latency',
    title: `How long is the round trip of a UDP request of ${options.size} bytes under load?`,
    sliceSeconds,
    prepare: async (context) =>
      new LatencyLab(context, options).prepare(
        hooks.filter(({ name }) => only.length === 0 || only.includes(name)),
      ),
  };
}
