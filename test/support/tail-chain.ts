import { documents } from '../../src/cli/schema/documents.js';
import { documentOf, type Ground } from '../e2e/ground.js';
import { onGround } from '../e2e/hook-ground.js';

/** For commands that are to do without freplace. */
export const withoutFreplace = { NETKIT_TEST_WITHOUT_FREPLACE: '1' } as const;

/** Runs a test on fresh ground, whose commands do without freplace. */
export function onTailGround(work: (ground: Ground) => void | Promise<void>): Promise<void> {
  return onGround(work, withoutFreplace);
}

/** Loads the function `c`, or one that writes into its maps. */
export function loadTail(ground: Ground, name: string, path: string): void {
  const reuse = ['marks', 'verdicts'].flatMap((map) => ['--reuse', `${map}=c/${map}`]);
  ground.does('load', path, '--name', name, ...(name === 'c' ? [] : reuse));
}

/** What `net` says of XDP on the defended interface: programs with their priorities, and what it says more. */
export function seen(ground: Ground) {
  const { interfaces } = documentOf(documents.net, ground.does('net', ...ground.place, '--json'));
  return (interfaces[0]?.receive ?? [])
    .filter(({ hook }) => hook.startsWith('xdp'))
    .map(({ hook, program, priority, detail, owner }) => ({
      hook,
      name: program?.name,
      priority,
      detail,
      owner: owner.function?.program ?? null,
    }));
}
