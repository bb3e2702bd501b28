// What `netkit reconcile` does with files that are damaged: it names them, and brings back what does not need them.
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { expect } from 'vitest';
import { emulated } from '../support/known-kernels.js';
import { describeAsRoot } from '../support/requirements.js';
import { attachedTo, functionOf, type ManifestGround, plant } from './manifest-ground.js';
import { manifestGround, testsOnClear } from './manifest-setup.js';
import { rewrite } from './reboot.js';
import {
  chained,
  cut,
  expectReconciled,
  order,
  reboots,
  reconciles,
  stateOf,
  verbs,
} from './reconcile-ground.js';

/** Entries that take some time to be put back. */
const many = emulated ? 2_000 : 50_000;

describeAsRoot('netkit reconcile, with damaged files,', () => {
  const ground = manifestGround();
  const onClear = testsOnClear(ground);

  /** `f`, with an entry that is declared in a map that is kept. */
  const keeping = (g: ManifestGround, more: object = {}): void => {
    const maps = { words: { keep: true, entries: { 1: 10 }, ...more } };
    g.declares([
      functionOf({ program: { object: g.object, only: ['one'] }, maps, attach: [attachedTo(g, 'one')] }),
    ]);
    g.applies();
  };
  const declared = { '01000000': '0a00000000000000' };
  const planted = { ...declared, '09000000': '5a00000000000000' };

  onClear('brings a function back without contents that are damaged, and puts those aside', async (g) => {
    keeping(g);
    plant(g, 'words', '09000000', '5a00000000000000');
    g.ground.does('snapshot');
    const file = stateOf(g, 'f@words.kept');
    const whole = readFileSync(file);
    const aside = stateOf(g, 'f@words~damaged.kept');
    const flipped = Uint8Array.from(whole);
    flipped[whole.length - 40] = (whole[whole.length - 40] ?? 0) ^ 1;
    const sizes = [0, 1, 60, 64, 100, whole.length - 33, whole.length - 1];
    for (const bytes of [...sizes.map((size) => whole.subarray(0, size)), flipped, Buffer.from('other')]) {
      writeFileSync(file, bytes);
      reboots(g);
      const { problems } = reconciles(g, 1);
      expect(problems).toMatchObject([{ function: 'f', code: 'bad-state' }]);
      expect(problems[0]?.message).toContain(`what was saved of f/words cannot be put back: `);
      expect(problems[0]?.message).toContain(`it was put aside as ${aside}`);
      expect(g.entries('words')).toEqual(declared);
      expect(await g.arriving()).toEqual({ one: 1 });
      expectReconciled(g);
      g.ground.does('snapshot');
      expect(readFileSync(aside)).toEqual(Buffer.from(bytes));
    }
    writeFileSync(file, whole);
    reboots(g);
    reconciles(g);
    expect(g.entries('words')).toEqual(planted);
    g.ground.does('delete', 'f', '--yes');
    expect(readdirSync(g.ground.bpffs.stateDir)).toEqual(['lock']);
  });

  onClear('leaves what was saved alone until the function is back', (g) => {
    keeping(g);
    plant(g, 'words', '09000000', '5a00000000000000');
    g.ground.does('snapshot');
    reboots(g);
    expect(g.ground.does('snapshot').stderr).toBe(
      'netkit: f has not been brought back since the last boot: what was saved of it stays\n',
    );
    reconciles(g);
    expect(g.entries('words')).toEqual(planted);
  });

  onClear('is not disturbed by snapshots while it puts contents back', async (g) => {
    keeping(g, { maxEntries: many });
    const lines = Array.from({ length: many }, (_, key) => `${key},${key}\n`);
    g.ground.does('map', 'import', 'f/words', g.writes('many.csv', `key,value\n${lines.join('')}`));
    g.ground.does('snapshot');
    const saved = readFileSync(stateOf(g, 'f@words.kept')).length;
    for (let round = 0; round < 3; round++) {
      reboots(g);
      const all = [['reconcile'], ['snapshot'], ['snapshot'], ['snapshot'], ['snapshot']];
      const ended = await Promise.all(all.map((words) => g.ground.runs(words)));
      expect(ended.map((each) => each?.status)).toEqual([0, 0, 0, 0, 0]);
      expect(Object.keys(g.entries('words'))).toHaveLength(many);
      expect(readFileSync(stateOf(g, 'f@words.kept'))).toHaveLength(saved);
    }
  });

  onClear(
    'loses nothing that was saved when it is killed while it puts contents back',
    async (g) => {
      keeping(g);
      plant(g, 'words', '09000000', '5a00000000000000');
      g.ground.does('snapshot');
      for (let step = 0; ; step++) {
        reboots(g);
        const ended = await g.ground.runs(['reconcile'], { NETKIT_TEST_KILL_STEP: String(step) });
        g.ground.does('snapshot');
        if (ended !== undefined) break;
        reconciles(g);
        expect(g.entries('words'), `step ${step}`).toEqual(planted);
      }
    },
    emulated ? 900_000 : 180_000,
  );

  onClear('names state that cannot be read, and brings back the others', async (g) => {
    const functions = ['f', 'g', 'h'].map((name) =>
      functionOf({ program: { object: g.object, only: ['one'] }, attach: [attachedTo(g, 'one')] }, name),
    );
    g.declares(functions);
    g.applies();
    const whole = readFileSync(stateOf(g, 'g.json'));
    const spoilt: readonly (readonly [RegExp, () => void])[] = [
      [/g\.json is damaged/, () => cut(g, 'g.json')],
      [/g\.json is damaged/, () => cut(g, 'g.json', 0)],
      [
        /was written by a newer netkit/,
        () => rewrite(stateOf(g, 'g.json'), /"formatVersion": 3/, '"formatVersion": 99'),
      ],
      [
        /recorded of generation 1 of 'g' is damaged/,
        () => rewrite(stateOf(g, 'g.json'), /"kind": "Net/, '"kind": "x'),
      ],
      [/object of generation 1 cannot be read/, () => rmSync(stateOf(g, objectOf(g, 'g')))],
    ];
    for (const [says, spoil] of spoilt) {
      reboots(g);
      spoil();
      const { problems, functions: back } = reconciles(g, 1);
      expect(problems).toMatchObject([
        { function: 'g', code: 'bad-state', message: expect.stringMatching(says) },
      ]);
      expect(back.filter(({ verb }) => verb === 'restore').map(({ name }) => name)).toEqual(['f', 'h']);
      expect(await g.arriving('f')).toEqual({ one: 1 });
      writeFileSync(stateOf(g, 'g.json'), whole);
    }
    writeFileSync(stateOf(g, objectOf(g, 'g')), readFileSync(g.object));
    g.ground.does('unload', 'g');
  });

  onClear('leaves the members of a chain alone whose file is damaged', async (g) => {
    g.declares([...chained(g), functionOf({ program: { object: g.object, only: ['three'] } }, 'other')]);
    g.applies();
    const whole = readFileSync(stateOf(g, 'edge.chain'));
    cut(g, 'edge.chain');
    const ids = ['base', 'beside', 'aside'].map((name) => g.identity(name));
    const named = reconciles(g, 1).problems;
    expect(named.map((each) => each.function)).toEqual(['aside', 'base', 'beside', 'edge']);
    expect(named[0]?.message).toMatch(/'aside' is in the chain 'edge', and .*edge\.chain is damaged/);
    expect(['base', 'beside', 'aside'].map((name) => g.identity(name))).toEqual(ids);
    reboots(g);
    expect(verbs(reconciles(g, 1))).toEqual({ other: 'restore' });
    writeFileSync(stateOf(g, 'edge.chain'), whole);
    reconciles(g);
    expect(await order(g)).toEqual(['xdp_one', 'two', 'one', 'three']);
  });

  onClear('brings the other members of a chain back when one cannot come', async (g) => {
    g.declares(chained(g));
    g.applies();
    rmSync(stateOf(g, objectOf(g, 'beside')));
    reboots(g);
    const { problems } = reconciles(g, 1);
    expect(problems.map((each) => each.function)).toEqual(['beside']);
    expect(await order(g)).toEqual(['xdp_one', 'one', 'three']);
    writeFileSync(stateOf(g, objectOf(g, 'beside')), readFileSync(g.object));
    reconciles(g);
    expect(await order(g)).toEqual(['xdp_one', 'two', 'one', 'three']);
    rmSync(stateOf(g, fileOf(g, 'base', /"others": \{\s*"file": "([^"]+)"/)));
    reboots(g);
    expect(
      reconciles(g, 1)
        .problems.map((each) => each.message)
        .join(),
    ).toMatch(/which holds declared entries, is gone/);
    expect(existsSync(g.pin('base'))).toBe(false);
    g.applies();
    // Each is written anew by an apply that changes nothing else.
    for (const map of ['others', 'words']) {
      const file = stateOf(g, fileOf(g, 'base', new RegExp(`"${map}": \\{\\s*"file": "([^"]+)"`)));
      const whole = readFileSync(file);
      for (const spoil of [() => rmSync(file), () => writeFileSync(file, whole.subarray(0, 40))]) {
        if (map === 'words') rmSync(file);
        else spoil();
        g.applies();
        expect(readFileSync(file)).toEqual(whole);
        expect(g.applies().functions.flatMap(({ steps }) => steps)).toEqual([]);
      }
    }
    reboots(g);
    reconciles(g);
  });
});

function objectOf(g: ManifestGround, name: string): string {
  return fileOf(g, name, /"file": "([^"]+\.bpf\.o)"/);
}

function fileOf(g: ManifestGround, name: string, what: RegExp): string {
  const [, file] = what.exec(readFileSync(stateOf(g, `${name}.json`), 'utf8')) ?? [];
  if (file === undefined) throw new Error(`nothing is stored of ${name}`);
  return file;
}
