/** `netkit bench sockmap`: what a proxy costs a TCP connection, and what redirecting its bytes in the kernel saves. */
import { NetkitError } from '../../base/errors.js';
import { suggestion } from '../../base/suggest.js';
import type { Scenario } from '../scenario.js';
import { pathNames, paths } from './sockmap/paths.js';
import { SockmapLab, type SockmapLabOptions } from './sockmap/sockmap-lab.js';

export interface SockmapOptions extends SockmapLabOptions {
  /** Names of paths; all when empty. */
  readonly only: readonly string[];
}

/** How long a path is measured in a block, in each of the groups. */
const sliceSeconds = 0.2;

/** @throws NetkitError `usage` for a path that there is not */
export function sockmapScenario({ only, ...options }: SockmapOptions): Scenario {
  const unknown = only.find((name) => !pathNames.includes(name));
  if (unknown !== undefined) {
    throw new NetkitError('usage', `--only: there is no path '${unknown}'`, {
      hint: suggestion(unknown, pathNames) ?? `the paths are ${pathNames.join(', ')}`,
    });
  }
  return {
    name: 'sockmap',
    title: 'What does a proxy cost a TCP connection, with and without redirection in the kernel?',
    sliceSeconds,
    prepare: async (context) =>
      new SockmapLab(context, options).prepare(
        paths.filter(({ name }) => only.length === 0 || only.includes(name)),
      ),
  };
}
