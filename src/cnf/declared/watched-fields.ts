/** What metrics and the health check of a document name, looked up in the object: before anything runs. */
import { NetkitError } from '../../base/errors.js';
import { suggestion } from '../../base/suggest.js';
import type { Codec } from '../../obj/codec/index.js';
import type { ObjectSpec } from '../../obj/spec.js';
import { problemOfKey, shapeOfMap } from '../entries/declarable.js';
import type { FunctionDocument, Metric, Probe, Value } from '../manifest/schema.js';
import { numberOf, probingProgram } from './probe.js';
import type { Problems } from './problems.js';
import { valueText } from './value-text.js';

type Path = readonly (string | number)[];
type MapProbe = Extract<Probe, { map: string }>;

/**
 * Whether there are such maps, keys, members and programs.
 * @param folder what the path of a command is relative to; undefined where none is going to be started
 * @param problems gets what there is not
 * @throws NetkitError `not-permitted` as root for a command that others can write
 */
export function checkWatched(
  { metrics = [], health }: FunctionDocument['spec'],
  spec: ObjectSpec,
  folder: string | undefined,
  problems: Problems,
): void {
  for (const [index, metric] of metrics.entries())
    checkMetric(metric, ['spec', 'metrics', index], spec, problems);
  const probe = health?.probe;
  if (probe === undefined) return;
  const path = ['spec', 'health', 'probe'];
  if ('map' in probe) checkProbe(probe, path, spec, problems);
  else if (folder !== undefined)
    problems.try([...path, 'command'], () => probingProgram(probe.command, folder));
}

function checkMetric(metric: Metric, path: Path, spec: ObjectSpec, problems: Problems): void {
  const shape = problems.try([...path, 'map'], () => shapeOfMap(spec, metric.map));
  if (shape === undefined) return;
  checkMember(shape.value.columns, metric, path, problems);
  const { length } = shape.key?.columns ?? [];
  const { labels = [], map } = metric;
  if (shape.key === undefined)
    problems.add([...path, 'map'], `the entries of '${map}' have no keys: they cannot be counted`);
  else if (labels.length > length)
    problems.add(
      [...path, 'labels'],
      `${labels.length} labels are given, and the keys of '${map}' have ${length === 1 ? 'one member' : `${length} members`}`,
    );
}

function checkProbe(probe: MapProbe, path: Path, spec: ObjectSpec, problems: Problems): void {
  const shape = problems.try([...path, 'map'], () => shapeOfMap(spec, probe.map));
  if (shape === undefined) return;
  checkMember(shape.value.columns, probe, path, problems);
  const { key } = shape;
  if (key === undefined)
    problems.add([...path, 'map'], `the entries of '${probe.map}' have no keys: none can be looked at`);
  else problems.try([...path, 'key'], () => checkKey(key, probe, spec));
  const { value, op } = probe;
  if (typeof value !== 'string')
    problems.add([...path, 'value'], 'a single value is compared with, not a list or a mapping');
  else
    problems.try([...path, 'value'], () => {
      const isOfItsType = op === '==' || op === '!=' ? parses(shape.value, probe) : false;
      if (!isOfItsType) numberOf(value);
    });
}

/** An array has an entry for each index and no others: what is beyond would never be anything but 0. */
function checkKey(codec: Codec, { map: name, key }: MapProbe, spec: ObjectSpec): void {
  const bytes = new Uint8Array(codec.size);
  codec.encodeText(valueText(key), new DataView(bytes.buffer), 0);
  const map = spec.map(name);
  const maxEntries = spec.mapSizes.get(map.name) ?? map.maxEntries;
  const problem = problemOfKey({ map, maxEntries }, bytes, 0);
  if (problem !== undefined) throw new NetkitError('bad-value', problem);
}

/** Whether a value is one that the member can have, such as the name of an enumerator. */
function parses(codec: Codec, { field, value }: MapProbe): boolean {
  const members = field?.split('.') ?? [];
  const whole = members.reduceRight<Value>((inner, name) => ({ [name]: inner }), value);
  try {
    codec.parse(valueText(whole));
    return true;
  } catch (error) {
    if (error instanceof NetkitError) return false;
    throw error;
  }
}

/** One number can be shown or compared: the value itself, or the member that is named. */
function checkMember(
  columns: readonly { readonly path: string }[],
  { map, field }: { readonly map: string; readonly field?: string | undefined },
  path: Path,
  problems: Problems,
): void {
  const members = columns.map((column) => column.path);
  if (members.includes(field ?? '')) return;
  const known = members.filter((member) => member !== '');
  if (field === undefined)
    problems.add(path, `the values of '${map}' have more than one member`, "name one of them with 'field'");
  else
    problems.add(
      [...path, 'field'],
      `the values of '${map}' have no member '${field}'`,
      suggestion(field, known) ?? (known.length === 0 ? undefined : `they have ${known.join(', ')}`),
    );
}
