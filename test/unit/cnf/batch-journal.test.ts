import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Action, Plan } from '../../../src/cnf/action.js';
import {
  BatchJournal,
  type BatchRecord,
  readBatchJournal,
  readStep,
} from '../../../src/cnf/batch-journal.js';

const head = { change: 'c1', command: 'netkit batch x', startedAt: '2026-01-01T00:00:00.000Z', bootId: 'b1' };
const aside: Action = {
  kind: 'set-aside',
  function: 'fw',
  folder: '/sys/fs/bpf/netkit/fw',
  to: '/sys/fs/bpf/netkit/~1-fw',
};
const plan: Plan = { ...head, function: 'fw', actions: [aside] };
const step: BatchRecord = { kind: 'plan', plan };
const entries: BatchRecord = {
  kind: 'entries',
  entries: {
    map: { id: 7, reference: 'fw/a', bpffs: '/sys/fs/bpf' },
    keySize: 1,
    valueSize: 1,
    present: '10',
    keys: Buffer.from([1, 2]).toString('base64'),
    values: Buffer.from([9, 0]).toString('base64'),
  },
};

describe('the journal of an atomic batch', () => {
  let path: string;

  beforeEach(() => {
    path = join(mkdtempSync(join(tmpdir(), 'netkit-test-')), 'batch.journal');
  });
  afterEach(() => rmSync(join(path, '..'), { recursive: true }));

  function written(...records: BatchRecord[]): void {
    using journal = BatchJournal.create(path, head);
    for (const record of records) journal.append(record);
  }
  function history() {
    const read = readBatchJournal(path);
    if (read === undefined) throw new Error('no journal');
    return { ...read.history, steps: read.history.steps.map((span) => readStep(path, span)) };
  }

  it('is not there before the first batch, and means nothing was done before its first line is whole', () => {
    expect(readBatchJournal(path)).toBeUndefined();
    for (const text of ['', '{"formatVersion":1,"ki']) {
      writeFileSync(path, text);
      expect(history()).toMatchObject({ steps: [], finish: undefined });
    }
  });

  it('is for root alone, and gives back what was written', () => {
    written(step, entries, step);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(history()).toEqual({ ...head, steps: [step, entries, step], finish: undefined });
  });

  it('tells what is undone already, and whether it was committed', () => {
    written(step, entries, step, { kind: 'undone', left: 2 }, { kind: 'undone', left: 1 });
    expect(history().steps).toEqual([step]);
    written(step, { kind: 'commit', actions: [aside] });
    expect(history()).toMatchObject({ steps: [step], finish: [aside] });
  });

  it('forgets the plans of a function that was unloaded since', () => {
    const other: BatchRecord = { kind: 'plan', plan: { ...plan, function: 'other' } };
    const settled: BatchRecord = { kind: 'settled', function: 'fw' };
    written(step, other, entries, step, settled, { kind: 'undone', left: 1 });
    expect(history().steps).toEqual([other]);
  });

  it('goes on behind the last whole line', () => {
    written(step, entries);
    appendFileSync(path, '{"kind":"entries","ent');
    const read = readBatchJournal(path);
    expect(read?.history.steps).toHaveLength(2);
    using journal = BatchJournal.reopen(path, read?.length ?? 0);
    journal.append({ kind: 'undone', left: 1 });
    expect(history().steps).toEqual([step]);
  });

  it('is read whatever its length', () => {
    const long: BatchRecord = {
      kind: 'entries',
      entries: { ...entries.entries, present: '1'.repeat(3 << 20), keys: '', values: '' },
    };
    written(step, long, step, long);
    expect(history().steps).toEqual([step, long, step, long]);
  });

  it.each([
    ['garbage', 'garbage'],
    ['another record', '{"kind":"other"}'],
    [
      'a path outside of the pins',
      JSON.stringify({ ...step, plan: { ...plan, actions: [{ ...aside, folder: '/etc' }] } }),
    ],
    [
      'a path that is no place for pins put aside',
      JSON.stringify({
        ...step,
        plan: { ...plan, actions: [{ ...aside, to: '/sys/fs/bpf/netkit/~1-fw/../../x' }] },
      }),
    ],
    [
      'old entries of no map',
      JSON.stringify({ ...entries, entries: { ...entries.entries, map: { id: 0 } } }),
    ],
    ['a commit of something else', '{"kind":"commit","actions":[{"kind":"format-disk"}]}'],
  ])('that holds %s is damaged, and says where', (_what, line) => {
    written(step);
    writeFileSync(path, `${readFileSync(path, 'utf8')}${line}\n`);
    expect(() => readBatchJournal(path)).toThrow(`${path} is damaged in line 3: it is no record of a batch`);
  });

  it('of a newer netkit is refused', () => {
    writeFileSync(path, `${JSON.stringify({ ...head, kind: 'begin', formatVersion: 99 })}\n`);
    expect(() => readBatchJournal(path)).toThrow('is damaged in line 1');
  });
});
