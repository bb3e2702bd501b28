import type { TargetOf } from '../link-state.js';
import type { TargetKind } from './target-kind.js';

export type TextTarget = TargetOf<'text'>;

export const texts: TargetKind<TextTarget> = {
  kind: 'text',
  same: (one, other) => one.text === other.text,
  text: ({ text }) => text,
  describe: ({ text }) => text,
  whereabouts: ({ text }) => text,
  nameFor: ({ text }) =>
    text
      .replaceAll(/[^\w+:.-]+/g, '-')
      .replace(/^-/, '')
      .slice(-100),
  gone: 'it was detached',
  meant({ text, netns }) {
    if (text === undefined) return () => netns === undefined;
    // Also where a path was made absolute when it was attached, and on whichever CPUs a clock runs.
    return (target) =>
      target.text === text || target.text.endsWith(`/${text}`) || target.text.startsWith(`${text}:cpu`);
  },
  relocate: (target) => target,
};
