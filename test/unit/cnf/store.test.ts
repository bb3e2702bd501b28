import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Plan } from '../../../src/cnf/action.js';
import { stateFormat } from '../../../src/cnf/state.js';
import { StateStore } from '../../../src/cnf/store.js';
import { functionState } from '../../support/function-state.js';

const state = functionState('fw', {
  programs: [{ name: 'firewall', section: 'xdp', type: 'xdp' }],
});
const plan: Plan = {
  change: 'c2',
  bootId: 'b1',
  command: 'netkit load x',
  startedAt: '2026-01-01T00:00:00.000Z',
  function: 'fw',
  actions: [{ kind: 'record', function: 'fw', before: null, after: state }],
};

describe('the state directory', () => {
  let store: StateStore;

  beforeEach(() => {
    store = new StateStore(join(mkdtempSync(join(tmpdir(), 'netkit-test-')), 'state'));
    store.prepare();
  });
  afterEach(() => rmSync(join(store.directory, '..'), { recursive: true }));

  it('sees what another process wrote since it read last', () => {
    store.write(state);
    expect(store.read('fw')).toEqual(state);
    new StateStore(store.directory).write({ ...state, change: 'c9' });
    expect(store.read('fw')?.change).toBe('c9');
    writeFileSync(join(store.directory, 'fw.json'), '{');
    expect(() => store.read('fw')).toThrow(/damaged/);
    store.remove('fw');
    expect(store.read('fw')).toBeUndefined();
  });

  it('and its files are for its owner alone', () => {
    store.write(state);
    store.writeJournal(plan);
    expect(statSync(store.directory).mode & 0o777).toBe(0o700);
    for (const file of readdirSync(store.directory))
      expect(statSync(join(store.directory, file)).mode & 0o777, file).toBe(0o600);
  });

  it('gives back what was written, and nothing once it is removed', () => {
    expect(store.read('fw')).toBeUndefined();
    expect(store.names()).toEqual([]);
    store.write(state);
    expect(store.read('fw')).toEqual(state);
    expect(store.names()).toEqual(['fw']);
    store.remove('fw');
    store.remove('fw');
    expect(store.read('fw')).toBeUndefined();
    store.writeJournal(plan);
    expect(store.readJournal()).toEqual({ formatVersion: stateFormat, ...plan });
    expect(store.names()).toEqual([]);
    store.removeJournal();
    expect(store.readJournal()).toBeUndefined();
  });

  it('has no functions while it does not exist', () => {
    expect(new StateStore('/none/of/this').names()).toEqual([]);
  });

  it.each([
    ['any part of it cut off', (text: string) => text.slice(0, text.length / 2)],
    ['a member missing', (text: string) => text.replace(/"bootId":.*\n/, '')],
    ['a member too much', (text: string) => text.replace('"change"', '"extra": 1, "change"')],
    ['a member of another type', (text: string) => text.replace('"persist": false', '"persist": "no"')],
  ])('names a state file with %s, and says what helps; looking past it finds none', (_what, damage) => {
    store.write(state);
    const path = join(store.directory, 'fw.json');
    const text = readFileSync(path, 'utf8');
    const damaged = damage(text);
    expect(damaged).not.toBe(text);
    writeFileSync(path, damaged);
    expect(() => store.read('fw')).toThrow(
      expect.objectContaining({ code: 'bad-state', message: expect.stringContaining(path) }),
    );
    expect(store.peek('fw')).toBeUndefined();
  });

  it.each(['', '{', 'null', '[]', '{"change":"x"}', JSON.stringify({ ...plan, actions: [1] })])(
    'names a journal that holds %j',
    (text) => {
      const path = join(store.directory, 'change.journal');
      writeFileSync(path, text);
      expect(() => store.readJournal()).toThrow(
        expect.objectContaining({
          code: 'bad-state',
          message: expect.stringContaining(path),
          hint: expect.stringContaining('netkit unload'),
        }),
      );
    },
  );
});
