import type { TargetOf } from '../link-state.js';
import type { TargetKind } from './target-kind.js';

export type MapTarget = TargetOf<'map'>;

export const mapTargets: TargetKind<MapTarget> = {
  kind: 'map',
  same: (one, other) =>
    one.id === 0 || other.id === 0 ? one.reference === other.reference : one.id === other.id,
  text: ({ reference }) => reference,
  describe: ({ reference }) => reference,
  whereabouts: ({ reference }) => reference,
  nameFor: ({ reference }) => reference.replaceAll(/[^\w+:.-]+/g, '-').slice(-100),
  gone: 'the map is gone, or it was detached',
  meant({ text, netns }) {
    if (text === undefined) return () => netns === undefined;
    return ({ reference }) => reference === text;
  },
  // The map may come back with the function that it belongs to: looked for when it is attached to.
  relocate: (target) => ({ ...target, id: 0 }),
};
