/** How a function is watched: metrics, health and labels. The kernel has nothing to do with them. */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { expect } from 'vitest';
import { documents } from '../../src/cli/schema/documents.js';
import { emulated } from '../support/known-kernels.js';
import type { FieldRow } from './apply-rows.js';
import { documentOf } from './ground.js';
import {
  attachedTo,
  functionOf,
  type ManifestDocument,
  type ManifestGround,
  statusOf,
} from './manifest-ground.js';

const watched =
  (more: object) =>
  (g: ManifestGround): ManifestDocument[] => [
    functionOf({ program: { object: g.object, only: ['one'] }, attach: [attachedTo(g, 'one')], ...more }),
  ];

const numbers = { entries: [{ key: { a: 1, b: 2 }, value: { a: 3, b: 4 } }] };
const pairs = {
  map: 'pairs',
  name: 'pairs_total',
  type: 'counter',
  labels: ['left', 'right'],
  field: 'a',
  help: 'Pairs.',
};
const ofPairs = watched({ maps: { pairs: numbers }, metrics: [pairs] });
const ofWords = watched({
  maps: { words: { entries: { 1: 10 } }, others: { entries: { 1: 20 } } },
  metrics: [{ map: 'words', name: 'words_total', type: 'counter' }],
});
/** What `ofPairs` shows. */
const shown = {
  ...{ name: 'pairs_total', type: 'counter', help: 'Pairs.', map: 'pairs', problem: null },
  samples: [{ labels: { left: '1', right: '2' }, value: 3 }],
};

/** The one metric of the function, as `status` has it. */
function metricsOf(g: ManifestGround): unknown {
  return statusOf(g).functions[0]?.metrics[0];
}

function metric(name: string, to: unknown, then: object, field = name): FieldRow {
  return {
    field: `NetworkFunction.spec.metrics[].${field}`,
    base: ofPairs,
    at: `spec.metrics[0].${name}`,
    to: () => to,
    look: metricsOf,
    sees: [shown, { ...shown, ...then }],
    keeps: true,
  };
}

/** Has the function made anew, whose health is watched then. */
function health(g: ManifestGround): {
  readonly healthy: boolean;
  readonly about: string;
  readonly afterMs: number;
} {
  g.ground.does('unload', 'f');
  const result = g.tries();
  if (result.status !== 0) return { healthy: false, about: result.stderr, afterMs: 0 };
  const [report] = documentOf(documents.apply, result).health;
  if (report === undefined) throw new Error('nobody watched');
  return report;
}

const about = (g: ManifestGround) => health(g).about;

const ofWord = { map: 'words', key: 1, op: '<=', value: 0 };
const wordIs = 'words[1] is 0 since the swap, to be <= 0';

/** @param sees what the health check says before and after */
function probe(
  field: string,
  probed: object,
  [name, to]: readonly [string, unknown],
  sees: readonly [string, string],
): FieldRow {
  return {
    field: `NetworkFunction.spec.health.probe(map).${field}`,
    base: watched({ health: { probe: probed, settle: '20ms' } }),
    at: `spec.health.probe.${name}`,
    to: () => to,
    look: about,
    sees,
    slow: true,
  };
}

/** Longer than a command takes. */
const longSeconds = emulated ? 10 : 1;

const is = 'is 0 since the swap, to be == 0';
const command = (words: readonly string[], more: object = {}) =>
  watched({ health: { probe: { command: words, ...more }, settle: '20ms' } });

/** How often the probe wrote a line. */
function probes(g: ManifestGround): number {
  const path = g.file('probes');
  if (existsSync(path)) rmSync(path);
  health(g);
  return readFileSync(path, 'utf8').split('\n').length - 1;
}

export const watchRows: readonly FieldRow[] = [
  {
    field: 'NetworkFunction.metadata.labels.*',
    base: (g) =>
      watched({})(g).map((each) => ({ ...each, metadata: { name: 'f', labels: { tier: 'edge' } } })),
    at: 'metadata.labels.tier',
    to: () => 'core',
    look: (g) => statusOf(g).functions[0]?.labels,
    sees: [{ tier: 'edge' }, { tier: 'core' }],
    keeps: true,
  },
  {
    field: 'NetworkFunction.spec.metrics[].map',
    base: ofWords,
    at: 'spec.metrics[0].map',
    to: () => 'others',
    look: metricsOf,
    sees: [
      expect.objectContaining({ map: 'words', samples: [{ labels: {}, value: 10 }] }),
      expect.objectContaining({ map: 'others', samples: [{ labels: {}, value: 20 }] }),
    ],
    keeps: true,
  },
  metric('name', 'couples_total', { name: 'couples_total' }),
  metric('type', 'gauge', { type: 'gauge' }),
  metric(
    'labels',
    ['left', 'rest'],
    { samples: [{ labels: { left: '1', rest: '2' }, value: 3 }] },
    'labels[]',
  ),
  metric('field', 'b', { samples: [{ labels: { left: '1', right: '2' }, value: 4 }] }),
  metric('help', 'Other pairs.', { help: 'Other pairs.' }),
  probe('map', ofWord, ['map', 'others'], [wordIs, 'others[1] is 0 since the swap, to be <= 0']),
  probe('key(text)', ofWord, ['key', 2], [wordIs, 'words[2] is 0 since the swap, to be <= 0']),
  probe('op', ofWord, ['op', '>='], [wordIs, 'words[1] is 0 since the swap, to be >= 0']),
  probe('value(text)', ofWord, ['value', 5], [wordIs, 'words[1] is 0 since the swap, to be <= 5']),
  probe(
    'key(list)',
    { map: 'by_list', key: [1, 2], op: '==', value: 0 },
    ['key', [1, 3]],
    [`by_list[["1","2"]] ${is}`, `by_list[["1","3"]] ${is}`],
  ),
  probe(
    'key(mapping)',
    { map: 'pairs', key: { a: 1, b: 2 }, field: 'a', op: '==', value: 0 },
    ['key.b', 3],
    [`pairs[{"a":"1","b":"2"}].a ${is}`, `pairs[{"a":"1","b":"3"}].a ${is}`],
  ),
  probe(
    'field',
    { map: 'tallies', key: 0, field: 'count', op: '==', value: 0 },
    ['field', 'turn'],
    [`tallies[0].count ${is}`, `tallies[0].turn ${is}`],
  ),
  {
    field: 'NetworkFunction.spec.health.probe(command).command[]',
    base: command(['true']),
    at: 'spec.health.probe.command',
    to: () => ['sh', '-c', 'exit 0'],
    look: about,
    slow: true,
    sees: ["'true' ended well", "'sh -c exit 0' ended well"],
  },
  {
    field: 'NetworkFunction.spec.health.probe(command).timeout',
    base: command(['sleep', '0.2'], { timeout: '1m' }),
    at: 'spec.health.probe.timeout',
    to: () => '50ms',
    look: (g) => /'sleep 0.2' (ended well|did not answer within 50 ms)/.exec(about(g))?.[1],
    slow: true,
    sees: ['ended well', 'did not answer within 50 ms'],
  },
  {
    field: 'NetworkFunction.spec.health.settle',
    base: watched({ health: { settle: '20ms' } }),
    at: 'spec.health.settle',
    to: () => `${longSeconds}s`,
    look: (g) => health(g).afterMs >= longSeconds * 1000,
    slow: true,
    sees: [false, true],
  },
  {
    field: 'NetworkFunction.spec.health.interval',
    base: (g) =>
      watched({
        health: {
          probe: { command: ['sh', '-c', `echo >> ${g.file('probes')}`] },
          settle: emulated ? '8s' : '400ms',
          interval: '5s',
        },
      })(g),
    at: 'spec.health.interval',
    to: () => '20ms',
    look: (g) => probes(g) > (emulated ? 20 : 3),
    slow: true,
    sees: [false, true],
  },
];
