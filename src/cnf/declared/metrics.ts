/** The metrics that a manifest declares, with their values right now. */
import { NetkitError } from '../../base/errors.js';
import type { BpfMap } from '../../ebpf/map.js';
import { exists } from '../../host/folders.js';
import type { Value } from '../../obj/codec/index.js';
import { listedMapName } from '../../obj/maps.js';
import type { ObjectSpec } from '../../obj/spec.js';
import { pinPath } from '../layout.js';
import type { Metric } from '../manifest/schema.js';
import { memberOf, openShaped, overallMember } from './map-number.js';

export interface MetricSample {
  /** The texts of the key's members, by the names of the labels. */
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number | bigint;
}

export interface MetricReading {
  readonly name: string;
  readonly type: Metric['type'];
  readonly help: string | undefined;
  readonly map: string;
  /** By their labels. */
  readonly samples: readonly MetricSample[];
  /** Why there are none. */
  readonly problem: string | undefined;
}

/** Where the maps of a function are. */
export interface MetricPlace {
  readonly spec: ObjectSpec;
  readonly function: string;
  /** The folder that has the function's pins. */
  readonly folder: string;
}

/**
 * Reads each metric. What cannot be read has a problem, and no samples: one wrong metric does not hide the others.
 * @throws NetkitError `interrupted`
 */
export function readMetrics(metrics: readonly Metric[], place: MetricPlace): MetricReading[] {
  return metrics.map((metric) => {
    const { name, type, help, map } = metric;
    const about = { name, type, help, map };
    try {
      return { ...about, samples: samplesOf(metric, place), problem: undefined };
    } catch (error) {
      if (!(error instanceof NetkitError) || error.code === 'interrupted') throw error;
      return { ...about, samples: [], problem: error.message };
    }
  });
}

/** @throws NetkitError `not-found`, `unsupported`, `bad-value`, `not-permitted` */
function samplesOf(metric: Metric, { spec, function: owner, folder }: MetricPlace): MetricSample[] {
  const pin = pinPath(folder, 'maps', listedMapName(spec.map(metric.map), owner));
  if (!exists(pin)) throw new NetkitError('not-found', `the map '${metric.map}' is not there`);
  using map = openShaped(pin, spec, metric.map);
  const labels = metric.labels ?? [];
  const paths = keyPaths(map, labels, metric.map);
  const samples = new Map<string, MetricSample>();
  for (const [key, value] of map) {
    const texts = paths.map((path) => textAt(key, path));
    const id = JSON.stringify(texts);
    const number = numberIn(overallMember(map, value, metric.field), metric);
    const present = samples.get(id);
    // Members of the key that have no label are summed up.
    samples.set(id, {
      labels:
        present?.labels ?? Object.fromEntries(labels.map((label, index) => [label, texts[index] ?? ''])),
      value: present === undefined ? number : sum(present.value, number),
    });
  }
  return [...samples.values()].sort((one, other) => compareLabels(one, other, labels));
}

/** The members of the key that the labels stand for. */
function keyPaths(map: BpfMap, labels: readonly string[], name: string): string[] {
  if (map.shape.key === undefined)
    throw new NetkitError('unsupported', `the entries of '${name}' have no keys: they cannot be counted`);
  const columns = map.shape.key.columns.map(({ path }) => path);
  if (labels.length <= columns.length) return columns.slice(0, labels.length);
  throw new NetkitError(
    'bad-value',
    `${labels.length} labels are given, and the keys of '${name}' have ${columns.length === 1 ? 'one member' : `${columns.length} members`}`,
  );
}

function textAt(key: Value, path: string): string {
  const value = memberOf(key, path === '' ? undefined : path);
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function numberIn(found: Value | undefined, { map, field }: Metric): number | bigint {
  if (typeof found === 'number' || typeof found === 'bigint') return found;
  const where =
    field === undefined ? `the values of '${map}'` : `the member '${field}' of the values of '${map}'`;
  if (found === undefined) throw new NetkitError('bad-value', `${where} is not there`);
  throw new NetkitError(
    'bad-value',
    typeof found === 'object'
      ? `${where} have more than one number: 'field' names one of them`
      : `${where} are no numbers`,
  );
}

function sum(one: number | bigint, other: number | bigint): number | bigint {
  // Whole numbers of 64 bits keep all their digits; a fraction has no place among them.
  if (typeof one === 'bigint' && typeof other === 'bigint') return BigInt(one) + BigInt(other);
  return Number(one) + Number(other);
}

function compareLabels(one: MetricSample, other: MetricSample, labels: readonly string[]): number {
  for (const label of labels) {
    const order = collator.compare(one.labels[label] ?? '', other.labels[label] ?? '');
    if (order !== 0) return order;
  }
  return 0;
}

const collator = new Intl.Collator('en', { numeric: true });
