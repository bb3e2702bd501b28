/** What tests of `netkit bench` share: a scenario run to its document, and what a sound document has. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect } from 'vitest';
import type { BenchCheck, BenchDocument } from '../../src/bench/document.js';
import { netkit } from '../support/cli.js';
import { expectValid } from '../support/schema.js';

/** Milliseconds: emulated machines take minutes for what is timed in seconds. */
const patience = 170_000;

type Scenario<Document> = Document extends `bench ${infer Name}` ? Name : never;
type BenchScenario = Scenario<Parameters<typeof expectValid>[0]>;

/** @param words options of the scenario, `--json` and the seed aside */
export function measured(
  scenario: BenchScenario,
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
): BenchDocument {
  const run = ['bench', scenario, ...words, '--seed', '11', '--json'];
  const result = netkit(run, { env, timeout: patience });
  expect(`${result.status} ${result.stderr}`).toBe('0 ');
  return documentIn(scenario, result.stdout);
}

export function documentIn(scenario: BenchScenario, text: string): BenchDocument {
  const document: unknown = JSON.parse(text);
  expectValid(`bench ${scenario}`, document);
  return document as BenchDocument;
}

/** The checks of variants that are not ok. How fast the generator was is no fault of what is measured. */
export function brokenChecks({ groups }: BenchDocument): (BenchCheck & { readonly of: string })[] {
  return groups
    .flatMap(({ variants }) => variants)
    .flatMap(({ name: of, checks }) => checks.map((check) => ({ of, ...check })))
    .filter(({ name, ok }) => !ok && name !== 'generator');
}

/** What the samples' checks of these names say. What others on this machine take is not among them. */
export function brokenAccounts({ groups }: BenchDocument, ...names: readonly string[]): string[] {
  return groups
    .flatMap(({ variants }) => variants)
    .flatMap((variant) => variant.samples.map((sample) => ({ of: variant.name, ...sample })))
    .flatMap(({ of, checks }) => checks.map((check) => ({ of, ...check })))
    .filter(({ name }) => names.includes(name))
    .map(({ of, name, detail }) => `${of}: ${name}: ${detail}`);
}

/** The titles of what cannot be measured here. */
export function leftOut({ notes }: BenchDocument): string[] {
  return notes
    .filter((note) => note.startsWith('Left out: '))
    .map((note) => note.slice('Left out: '.length).split(', since ')[0] ?? '');
}

/** A folder for the tests of this file. */
export function temporaryFolder(): { readonly path: string } {
  let path = '';
  beforeAll(() => {
    path = mkdtempSync(join(tmpdir(), 'netkit-bench-'));
  });
  afterAll(() => {
    rmSync(path, { recursive: true });
  });
  return {
    get path() {
      return path;
    },
  };
}

/** Measures with a report of every kind. @returns what was said on the terminal */
export function outputWithReports(scenario: BenchScenario, words: readonly string[], folder: string): string {
  const reports = ['html', 'json', 'csv', 'md'].map((ending) => join(folder, `${scenario}.${ending}`));
  const result = netkit(['bench', scenario, ...words, ...reports.flatMap((path) => ['--report', path])]);
  expect(`${result.status} ${result.stderr}`).toBe('0 ');
  for (const path of reports) expect(readFileSync(path, 'utf8').length, path).toBeGreaterThan(500);
  documentIn(scenario, readFileSync(join(folder, `${scenario}.json`), 'utf8'));
  return result.stdout;
}
