import { cgroupPath, findCgroup } from '../../host/cgroup.js';
import type { TargetOf } from '../link-state.js';
import type { TargetKind } from './target-kind.js';

export type CgroupTarget = TargetOf<'cgroup'>;

/** @throws NetkitError `not-found`, `unsupported`, `usage` */
export function cgroupNamed(text: string): CgroupTarget {
  const { path, id } = findCgroup(text);
  return { kind: 'cgroup', path, id: String(id) };
}

export const cgroups: TargetKind<CgroupTarget> = {
  kind: 'cgroup',
  same: (one, other) => one.id === other.id,
  text: ({ path }) => path,
  describe: ({ path }) => path,
  whereabouts: ({ path }) => path,
  nameFor: ({ path }) => path.replaceAll(/[^\w+:.-]/g, '-').replace(/^-/, '') || 'root',
  gone: 'the cgroup is gone',
  meant({ text, netns }) {
    if (text === undefined) return () => netns === undefined;
    // One that is gone is known by its path.
    const meant = cgroupPath(text);
    return ({ path }) => path === meant;
  },
  relocate: ({ path }) => cgroupNamed(path),
};
