/** The files in test/fixtures/state-format-1 were written by netkit 0.1.0. */
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readBatchJournal, readStep } from '../../../src/cnf/batch-journal.js';
import { functionState } from '../../../src/cnf/state.js';
import { StateStore } from '../../../src/cnf/store.js';
import { packageRoot } from '../../../src/host/package-root.js';

const fixtures = join(packageRoot(), 'test/fixtures/state-format-1');
const eth0 = {
  kind: 'interface',
  ifname: 'eth0',
  ifindex: 3,
  netns: { inode: 4026532177, ref: 'lab-fmt1' },
};

describe('a state directory of format 1', () => {
  let store: StateStore;

  beforeEach(() => {
    store = new StateStore(join(mkdtempSync(join(tmpdir(), 'netkit-test-')), 'state'));
    store.prepare();
    for (const file of ['fw.json', 'filters.json', 'change.journal', 'batch.journal'])
      copyFileSync(join(fixtures, file), join(store.directory, file));
  });
  afterEach(() => rmSync(join(store.directory, '..'), { recursive: true }));

  it('tells of XDP links with their mode and their interface', () => {
    expect(store.read('fw')?.links).toEqual([
      { family: 'xdp', name: 'pass-xdp-eth0', program: 'pass', hook: 'xdp', target: eth0, mode: 'native' },
      {
        family: 'xdp',
        name: 'pass-xdp-eth1',
        program: 'pass',
        hook: 'xdp',
        target: { ...eth0, ifname: 'eth1', ifindex: 2 },
        mode: 'generic',
      },
    ]);
  });

  it('tells of tc filters with their place, and of tcx links', () => {
    expect(store.read('filters')?.links).toEqual([
      {
        family: 'tc',
        name: 'count-tc-ingress-eth0',
        program: 'count',
        hook: 'tc/ingress',
        target: eth0,
        filter: expect.objectContaining({ priority: 50, madeQdisc: true }),
      },
      {
        family: 'tc',
        name: 'count-tc-egress-eth0',
        program: 'count',
        hook: 'tc/egress',
        target: eth0,
        filter: expect.objectContaining({ priority: 50, madeQdisc: false }),
      },
      {
        family: 'tcx',
        name: 'count-tcx-ingress-eth0',
        program: 'count',
        hook: 'tcx/ingress',
        target: eth0,
        order: { priority: 50, place: null },
      },
    ]);
  });

  it('loses nothing else, and is written in the present format', () => {
    const old: Record<string, unknown> = JSON.parse(readFileSync(join(fixtures, 'filters.json'), 'utf8'));
    const state = store.read('filters');
    if (state === undefined) throw new Error('no state');
    expect({ ...state, links: null, formatVersion: null }).toEqual({
      ...old,
      links: null,
      formatVersion: null,
    });
    store.write(state);
    const written: unknown = JSON.parse(readFileSync(join(store.directory, 'filters.json'), 'utf8'));
    expect(written).toMatchObject({ formatVersion: 3 });
    expect(functionState.parse(written)).toEqual(state);
  });

  it('has a journal whose links and states can be undone', () => {
    const plan = store.readJournal();
    expect(plan?.actions.map(({ kind }) => kind)).toEqual(['attach', 'record']);
    const [attach, record] = plan?.actions ?? [];
    expect(attach).toMatchObject({
      link: { family: 'tc', hook: 'tc/egress', target: { kind: 'interface', ifname: 'eth1' } },
    });
    expect(record).toMatchObject({
      before: { formatVersion: 3, links: store.read('filters')?.links },
      after: { formatVersion: 3, links: { length: 4 } },
    });
  });

  it('has a journal of a batch whose steps can be undone', () => {
    const read = readBatchJournal(store.batchJournalPath);
    const steps = read?.history.steps.map((span) => readStep(store.batchJournalPath, span)) ?? [];
    const links = steps.flatMap((step) =>
      step.kind === 'plan'
        ? step.plan.actions.flatMap((action) => (action.kind === 'detach' ? [action.link] : []))
        : [],
    );
    expect(links.map(({ family, target }) => [family, target.kind])).toEqual([
      ['tcx', 'interface'],
      ['tc', 'interface'],
      ['tc', 'interface'],
      ['xdp', 'interface'],
      ['xdp', 'interface'],
    ]);
  });

  it.each([
    ['an interface without a number', (text: string) => text.replace('"ifindex": 3', '"ifindex": "3"')],
    ['a link that has too much', (text: string) => text.replace('"ifname"', '"more": 1, "ifname"')],
    ['an unknown hook', (text: string) => text.replace('"tcx/ingress"', '"tcy/ingress"')],
    ['a pin elsewhere', (text: string) => text.replace('"count-tc-', '"../count-tc-')],
    ['links that are none', (text: string) => text.replace(/"links": \[/, '"links": [7, ')],
  ])('is still refused with %s', (_what, damage) => {
    const path = join(store.directory, 'filters.json');
    const text = readFileSync(path, 'utf8');
    const damaged = damage(text);
    expect(damaged).not.toBe(text);
    writeFileSync(path, damaged);
    expect(() => store.read('filters')).toThrow(
      expect.objectContaining({ code: 'bad-state', message: expect.stringContaining(path) }),
    );
  });
});
