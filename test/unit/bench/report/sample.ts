import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BenchDocument } from '../../../../src/bench/document.js';
import { readBenchDocument } from '../../../../src/bench/report/read.js';

const folder = join(import.meta.dirname, '../../../fixtures/bench');

export type SampleName = 'drop' | 'rules' | 'latency';

export function samplePath(name: SampleName): string {
  return join(folder, `${name}.json`);
}

/** A document of its own for each caller. */
export function sample(name: SampleName): BenchDocument {
  const path = samplePath(name);
  return readBenchDocument(readFileSync(path, 'utf8'), path);
}

/** Tries to get out of whatever it is put into. */
export const hostile = `"></script></style><script>alert(1)</script>' onload=alert(2) & <b>\u202e x\u0007 \`\`\`|@all|[a](http://a.b)*`;

/** The same document with hostile text in the place of all that people or machines may have named. */
export function hostileDocument(name: SampleName): BenchDocument {
  const document = structuredClone(sample(name));
  const { environment } = document;
  const group = document.groups[0];
  const variant = group?.variants[1];
  const metric = group?.metrics[0];
  if (group === undefined || variant === undefined || metric === undefined)
    throw new Error('an empty sample');
  const named = new Map([
    [group.name, `${hostile} group`],
    [variant.name, `${hostile} variant`],
  ]);
  for (const each of [...document.noise, ...document.results]) {
    each.group = named.get(each.group) ?? each.group;
    if ('variant' in each) each.variant = named.get(each.variant) ?? each.variant;
  }
  group.name = `${hostile} group`;
  variant.name = `${hostile} variant`;
  group.title = hostile;
  metric.title = hostile;
  metric.unit = hostile;
  if (group.axis !== null) group.axis = { ...group.axis, title: hostile, unit: hostile };
  for (const each of group.variants) {
    each.title = `${each.title} ${hostile}`;
    each.description = hostile;
    if (each.series !== null) each.series = `${each.series} ${hostile}`;
    each.checks.push({ name: hostile, ok: true, detail: hostile });
  }
  variant.checks.push({ name: hostile, ok: false, detail: hostile });
  variant.samples[0]?.checks.push({ name: hostile, ok: false, detail: hostile });
  const kernel = {
    ...environment.kernel,
    release: hostile,
    version: hostile,
    settings: [{ name: hostile, value: hostile }],
  };
  return {
    ...document,
    ...{ scenario: hostile, title: hostile, netkit: hostile, command: hostile, started: hostile },
    summary: [hostile],
    notes: [hostile],
    limits: [{ name: hostile, title: hostile, value: 1, unit: hostile, detail: hostile }],
    environment: {
      ...environment,
      kernel,
      machine: { ...environment.machine, cpu: hostile },
      tools: [{ name: hostile, version: hostile }],
      interfaces: [{ ifname: hostile, driver: hostile, mode: hostile, offloads: [hostile] }],
      placement: [{ what: hostile, cpus: [0] }],
      commands: [hostile],
    },
  };
}
