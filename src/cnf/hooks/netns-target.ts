/** What hooks of a whole network namespace have in common: there is nothing to name but the namespace. */
import type { NetnsState } from '../link-state.js';
import { reopenNamespace } from '../targets/namespace.js';
import type { TargetReader } from './family.js';

export const netnsReader: TargetReader = {
  need: 'none',
  noun: 'nothing but a network namespace, by --netns',
  couldBe: () => false,
  exists: () => false,
};

/** For links that do not tell it themselves. */
export function isNetnsGone(recorded: NetnsState): boolean {
  const { present, netns } = reopenNamespace(recorded);
  netns?.[Symbol.dispose]();
  return !present;
}
