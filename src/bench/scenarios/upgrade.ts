/** `netkit bench upgrade`: what becomes of packets while a program is replaced, by each way to replace it. */
import { NetkitError } from '../../base/errors.js';
import { suggestion } from '../../base/suggest.js';
import type { Scenario } from '../scenario.js';
import { UpgradeLab } from './upgrade/upgrade-lab.js';
import { upgradeWays } from './upgrade/ways.js';

/** The names of all ways. */
export const upgradeWayNames: readonly string[] = upgradeWays.map(({ name }) => name);

/** How long a way is measured in a block. */
const sliceSeconds = 0.5;

/** @param only names of ways; all when empty. @throws NetkitError `usage` for a way that there is not */
export function upgradeScenario(only: readonly string[]): Scenario {
  const unknown = only.find((name) => !upgradeWayNames.includes(name));
  if (unknown !== undefined) {
    throw new NetkitError('usage', `--only: there is no way '${unknown}'`, {
      hint: suggestion(unknown, upgradeWayNames) ?? `the ways are ${upgradeWayNames.join(', ')}`,
    });
  }
  return {
    name: 'upgrade',
    title: 'What becomes of packets while a program is replaced?',
    sliceSeconds,
    prepare: async (context) => {
      const lab = await UpgradeLab.begin(context);
      return lab.prepare(upgradeWays.filter(({ name }) => only.length === 0 || only.includes(name)));
    },
  };
}
