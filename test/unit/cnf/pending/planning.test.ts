import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Action, Plan } from '../../../../src/cnf/action.js';
import { awaiting, refuseBeside } from '../../../../src/cnf/pending/planning.js';
import {
  beginWaiting,
  readablePending,
  readPending,
  removePending,
  timeLeft,
  writePending,
} from '../../../../src/cnf/pending/record.js';
import { StateStore } from '../../../../src/cnf/store.js';
import { bootId } from '../../../../src/host/kernel.js';
import { functionState } from '../../../support/function-state.js';

const state = functionState('f', { change: 'c' });
const record: Action = { kind: 'record', function: 'f', before: state, after: { ...state, change: 'd' } };

const planOf = (actions: readonly Action[], boot = bootId()): Plan => ({
  change: 'd',
  bootId: boot,
  command: 'netkit replace f o',
  startedAt: '2026-01-01T00:00:00.000Z',
  function: 'f',
  actions,
});

describe('a plan that waits for its confirmation', () => {
  let store: StateStore;
  beforeEach(() => {
    store = new StateStore(mkdtempSync(join(tmpdir(), 'netkit-pending-')));
  });
  afterEach(() => rmSync(store.directory, { recursive: true }));

  it('puts off what cannot be undone, and is written down right before its record', () => {
    const other: Action = { ...record, function: 'other' };
    const { plan, unconfirmed } = awaiting(
      planOf([
        { kind: 'store-object', function: 'f', file: 'f-ba9876543210.bpf.o' },
        other,
        record,
        { kind: 'unpin', function: 'f', folder: '/bpf/netkit/+f' },
        { kind: 'unpin', function: 'f', folder: '/bpf/netkit/f' },
        { kind: 'drop-object', function: 'f', file: 'f-0123456789ab.bpf.o' },
      ]),
      60_000,
      store,
    );
    expect(plan.actions.map(({ kind }) => kind)).toEqual([
      'store-object',
      'record',
      'await-confirmation',
      'record',
      'set-aside',
      'set-aside',
    ]);
    expect(plan.actions[2]).toEqual({ kind: 'await-confirmation', function: 'f', forMs: 60_000 });
    expect(unconfirmed.plan.actions).toEqual(
      plan.actions.filter(({ kind }) => kind !== 'await-confirmation'),
    );
    expect(unconfirmed.finish).toEqual([
      { kind: 'unpin', function: 'f', folder: '/bpf/netkit/~1-f' },
      { kind: 'unpin', function: 'f', folder: '/bpf/netkit/~2-f' },
      { kind: 'drop-object', function: 'f', file: 'f-0123456789ab.bpf.o' },
    ]);
  });

  it('is refused where what it removes is known by its pins alone', () => {
    const gone: Action = { ...record, before: null, after: null };
    expect(() => awaiting(planOf([gone]), 1000, store)).toThrow(/missing or damaged/);
  });

  it('is read as it was written, and waits by the clock of the boot', () => {
    const { unconfirmed } = awaiting(planOf([record]), 60_000, store);
    beginWaiting(store, unconfirmed, 60_000);
    const change = readPending(store, 'f');
    expect(change).toMatchObject({ ...unconfirmed, stage: 'waiting', problem: null });
    if (change === undefined) return;
    expect(timeLeft(change)).toBeGreaterThan(59_000);
    expect(timeLeft(change)).toBeLessThanOrEqual(60_000);
    expect(Date.parse(change.deadline.at) - Date.now()).toBeLessThanOrEqual(60_000);
    expect(timeLeft({ ...change, plan: { ...change.plan, bootId: 'another' } })).toBe(0);
    removePending(store, 'f');
    expect(readPending(store, 'f')).toBeUndefined();
  });

  it('keeps every function that it has to do with from being changed, and no other', () => {
    const { unconfirmed } = awaiting(planOf([{ ...record, function: 'heir' }, record]), 60_000, store);
    beginWaiting(store, unconfirmed, 60_000);
    const usual = { goesByPins: false, dryRun: false };
    for (const name of ['f', 'heir'])
      expect(() => refuseBeside([{ ...record, function: name }], store, usual)).toThrow(
        /waits for its confirmation/,
      );
    refuseBeside([{ ...record, function: 'other' }], store, usual);
    const change = readPending(store, 'f');
    if (change === undefined) throw new Error('nothing waits');
    writePending(store, { ...change, stage: 'returned' });
    refuseBeside([record], store, usual);
    writePending(store, { ...change, problem: 'no way back' });
    expect(() => refuseBeside([record], store, usual)).toThrow(/^no way back$/);
    refuseBeside([record], store, { ...usual, goesByPins: true });
  });

  it.each(['', '{', '[]', '{"formatVersion":2}', '{"formatVersion":2,"plan":{}}'])(
    'is damaged when its file is %j',
    (text) => {
      writeFileSync(store.pendingPath('f'), text);
      expect(() => readPending(store, 'f')).toThrow(/is damaged/);
      expect(readablePending(store)).toEqual([]);
    },
  );

  it('of a newer netkit is left alone, and one of another function is none', () => {
    writeFileSync(store.pendingPath('f'), '{"formatVersion":99}');
    expect(() => readPending(store, 'f')).toThrow(/newer netkit/);
    const { unconfirmed } = awaiting(planOf([record]), 60_000, store);
    beginWaiting(store, unconfirmed, 60_000);
    writeFileSync(store.pendingPath('g'), readFileSync(store.pendingPath('f')));
    expect(() => readPending(store, 'g')).toThrow(/is damaged/);
  });
});
