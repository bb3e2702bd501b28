/** `netkit bench drop`: how fast each way to drop a flood of packets is, from the socket down to the driver. */
import { NetkitError } from '../../base/errors.js';
import { suggestion } from '../../base/suggest.js';
import type { Traffic } from '../lab/sender.js';
import type { Scenario } from '../scenario.js';
import { DropLab, floodSlices } from './drop/drop-lab.js';
import { ebpfRungs } from './drop/ebpf-rungs.js';
import { netfilterRungs } from './drop/netfilter-rungs.js';
import type { Rung } from './drop/rung.js';
import { socketRungs } from './drop/socket-rungs.js';

/** From the top of the stack down. */
const ladder: readonly Rung[] = [...socketRungs, ...netfilterRungs, ...ebpfRungs];

/** The names of all rungs. */
export const rungNames: readonly string[] = ladder.map(({ name }) => name);

export interface DropOptions extends Traffic {
  /** Names of rungs; all when empty. */
  readonly only: readonly string[];
}

/** @throws NetkitError `usage` for a rung that there is not */
export function dropScenario({ only, ...traffic }: DropOptions): Scenario {
  const { captured } = traffic;
  const unknown = only.find((name) => !rungNames.includes(name));
  if (unknown !== undefined) {
    throw new NetkitError('usage', `--only: there is no rung '${unknown}'`, {
      hint: suggestion(unknown, rungNames) ?? `the rungs are ${rungNames.join(', ')}`,
    });
  }
  return {
    name: 'drop',
    title: `How fast does each way drop a flood of ${captured?.text ?? `UDP packets of ${traffic.size} bytes`}?`,
    ...floodSlices,
    prepare: async (context) => {
      const lab = new DropLab(context, traffic);
      return lab.prepare(ladder.filter(({ name }) => only.length === 0 || only.includes(name)));
    },
  };
}
