/** `bench maps`: looking up entries of a hash map from user space; the slowed one looks up every fifth once more. */
import { placedAlone } from '../../src/bench/lab/placement.js';
import type { PrepareContext, Prepared, Scenario, Variant } from '../../src/bench/scenario.js';
import { type Operation, operations, timeCalls } from '../../src/bench/scenarios/maps/calls.js';
import { entriesOf, filledMap } from '../../src/bench/scenarios/maps/fixture.js';
import { control, same, slowed, slowedBy, type Trial } from './trial.js';

const size = 10_000;
const every = Math.round(1 / (slowedBy - 1));

export async function mapsTrial(): Promise<Trial> {
  const scenario: Scenario = {
    name: 'maps',
    title: 'What does a lookup cost?',
    sliceSeconds: 0.04,
    prepare: async (context) => prepare(context),
  };
  const answers = [control('control'), same('same'), slowed('slowed')];
  return { name: 'maps', questions: [{ scenario, answers }], end: () => undefined };
}

function prepare({ scope, seed }: PrepareContext): Prepared {
  placedAlone(scope);
  const entries = entriesOf('hash', size, seed);
  const lookups = (isSlowed: boolean): Operation => {
    const map = filledMap('hash', entries, scope);
    if (isSlowed) {
      const get = map.getBytes.bind(map);
      let count = 0;
      map.getBytes = (key) => {
        count += 1;
        if (count % every === 0) get(key);
        return get(key);
      };
    }
    const found = operations(map, entries, true).get('lookup');
    if (found === undefined) throw new Error('lookups of a hash map are not measured');
    return found;
  };
  const variant = (name: string, role: Variant['role']): Variant => {
    const lookup = lookups(name === 'slowed');
    const texts = { name, role, title: name, description: name };
    return { ...texts, check: async () => [], measure: async (seconds) => timeCalls(lookup, seconds) };
  };
  const metric = { name: 'time', title: 'Time', unit: 'ns', better: 'lower', isMain: true } as const;
  const variants = [
    variant('usual', 'reference'),
    variant('control', 'control'),
    variant('same', 'variant'),
    variant('slowed', 'variant'),
  ];
  return { groups: [{ name: 'lookup', title: 'Lookup', axis: null, metrics: [metric], variants }] };
}
