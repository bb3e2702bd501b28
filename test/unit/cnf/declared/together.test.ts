import { expect, it } from 'vitest';
import { type AttachStep, onDifferentInterfaces } from '../../../../src/cnf/declared/step.js';

function step(program: string, on: string | null): AttachStep {
  const place = {
    program,
    hook: 'tcx/ingress',
    target: on ?? undefined,
    isInterface: on !== null,
    netns: undefined,
    missing: 'wait',
    options: {},
    path: [],
    key: `${program} ${on}`,
    interface: on,
  } as const;
  return { kind: 'attach', place, again: false };
}

function groups(...steps: readonly (readonly [string, string | null])[]): string[] {
  const made = onDifferentInterfaces(steps.map(([program, on]) => step(program, on)));
  return made.map((group) =>
    group.map(({ place: { program, target } }) => `${program}@${target ?? ''}`).join(' '),
  );
}

it('attaches to all interfaces at once', () => {
  expect(groups(['one', 'a'], ['one', 'b'], ['one', 'c'])).toEqual(['one@a one@b one@c']);
  expect(groups()).toEqual([]);
});

it('attaches the second program of an interface when the first one is recorded', () => {
  expect(groups(['one', 'a'], ['one', 'b'], ['two', 'a'], ['two', 'b'])).toEqual([
    'one@a one@b',
    'two@a two@b',
  ]);
});

it('attaches by itself what is on no interface', () => {
  expect(groups(['one', 'a'], ['probe', null], ['probe', null], ['one', 'b'], ['one', 'c'])).toEqual([
    'one@a',
    'probe@',
    'probe@',
    'one@b one@c',
  ]);
});
