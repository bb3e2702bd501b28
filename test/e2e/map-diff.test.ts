import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Scope } from '../../src/base/scope.js';
import { documents } from '../../src/cli/schema/documents.js';
import { netkit } from '../support/cli.js';
import { expectUnchanged, type KernelState, snapshotKernelState } from '../support/kernel-state.js';
import { describeAsRoot } from '../support/requirements.js';
import { documentOf, fixture, type Ground, makeGround } from './ground.js';
import { Objects } from './objects.js';

describeAsRoot('map diff', () => {
  const owned = new Scope();
  let kernel: KernelState;
  let ground: Ground;
  let folder: string;
  let objects: Objects;

  beforeAll(() => {
    kernel = snapshotKernelState();
    objects = owned.use(new Objects());
    folder = objects.folder;
    ground = owned.use(makeGround());
    for (const name of ['m', 'other']) ground.does('load', fixture('maps'), '--name', name);
    ground.does('map', 'update', 'm/prefixes_v4', '10.0.0.0/8', '{"action":"DROP","note":1}');
    ground.does('map', 'update', 'm/prefixes_v4', '11.0.0.0/8', 'PASS');
    ground.does('map', 'update', 'm/prefixes_v4', '12.0.0.0/8', 'PASS');
  });
  afterAll(async () => {
    owned[Symbol.dispose]();
    await expectUnchanged(kernel);
  });

  const file = (name: string, text: string): string => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  };
  const header = 'key,value.action,value.note';

  it('prints nothing and exits 0 for a file that says what the map has', () => {
    const path = file('equal.csv', `${header}\n12.0.0.0/8,PASS,0\n10.0.0.0/8,DROP,1\n11.0.0.0/8,PASS,0\n`);
    const result = ground.does('map', 'diff', 'm/prefixes_v4', path);
    expect(result.stdout).toBe('');
    expect(result.stderr).toBe('netkit: 0 added, 0 removed, 0 changed, 3 the same\n');
    const document = documentOf(
      documents['map diff'],
      ground.does('map', 'diff', 'm/prefixes_v4', path, '--json'),
    );
    expect(document).toMatchObject({ differences: [], added: 0, removed: 0, changed: 0, same: 3 });
  });

  it('prints a line a difference and exits 8', () => {
    // 10.0.0.0/16 would find the entry of 10.0.0.0/8, were the map asked instead of listed.
    const path = file('other.csv', `${header}\n12.0.0.0/8,DROP,5\n10.0.0.0/16,DROP,1\n11.0.0.0/8,PASS,0\n`);
    const result = ground.netkit('map', 'diff', 'm/prefixes_v4', path);
    expect(result.status).toBe(8);
    expect(result.stdout.trimEnd().split('\n').sort()).toEqual([
      '+ 10.0.0.0/16 {"action":"DROP","note":1}',
      '- 10.0.0.0/8 {"action":"DROP","note":1}',
      '~ 12.0.0.0/8 {"action":"PASS","note":0} -> {"action":"DROP","note":5}',
    ]);
    const asJson = ground.netkit('map', 'diff', 'm/prefixes_v4', path, '--json');
    expect(asJson.status).toBe(8);
    expect(documentOf(documents['map diff'], asJson)).toMatchObject({
      other: path,
      added: 1,
      removed: 1,
      changed: 1,
      same: 1,
      differences: expect.arrayContaining([
        {
          kind: 'changed',
          key: '12.0.0.0/8',
          from: { action: 'PASS', note: 0 },
          to: { action: 'DROP', note: 5 },
        },
      ]),
    });
    expect(netkit(['map', 'diff', 'm/prefixes_v4', path, '-q'], { env: ground.bpffs.env }).stderr).toBe('');
  });

  it('compares with another map, and with standard input', () => {
    ground.does('map', 'copy', 'm/prefixes_v4', 'other/prefixes_v4');
    ground.does('map', 'diff', 'm/prefixes_v4', 'other/prefixes_v4');
    ground.does('map', 'delete', 'other/prefixes_v4', '11.0.0.0/8');
    const result = ground.netkit('map', 'diff', 'm/prefixes_v4', 'other/prefixes_v4');
    expect([result.status, result.stdout]).toEqual([8, '- 11.0.0.0/8 {"action":"PASS","note":0}\n']);
    const pinned = join(ground.bpffs.root.path, 'netkit/other/maps/prefixes_v4');
    expect(ground.netkit('map', 'diff', 'm/prefixes_v4', pinned).stdout).toBe(result.stdout);
    const input = ground.does('map', 'export', 'm/prefixes_v4').stdout;
    expect(netkit(['map', 'diff', 'm/prefixes_v4', '-'], { env: ground.bpffs.env, input }).status).toBe(0);
    expect(ground.refuses(5, 'map', 'diff', 'm/prefixes_v4', 'm/flows').stderr).toMatch(/do not fit/);
    expect(ground.refuses(6, 'map', 'diff', 'm/queue', 'other/queue').stderr).toMatch(/queue/);
    ground.refuses(3, 'map', 'diff', 'm/prefixes_v4', 'other/absent');
    ground.refuses(3, 'map', 'diff', 'm/prefixes_v4', 'absent.csv');
  });

  it('does not take what a program left in the padding for a difference', async () => {
    const object = await objects.compile('test/fixtures/migrate.bpf.c', ['APPENDED']);
    ground.does('load', object, '--name', 'padded');
    const value = `0500000000000000${'00'.repeat(8)}07000000${'00'.repeat(8)}`;
    ground.does('map', 'update', 'padded/services', '1', `hex:${value}eeeeeeee`);
    const path = join(folder, 'padded.ndjson');
    ground.does('map', 'export', 'padded/services', path);
    expect(ground.does('map', 'diff', 'padded/services', path).stdout).toBe('');
    expect(ground.does('map', 'import', 'padded/services', path, '--replace').stdout).toMatch(
      /: 0 written, 0 removed, 1 the same$/m,
    );
    ground.does('map', 'update', 'padded/services', '1', `hex:${value.replace('05', '06')}eeeeeeee`);
    expect(ground.netkit('map', 'diff', 'padded/services', path).status).toBe(8);
  });

  it('shows each CPU of a per-CPU map', () => {
    ground.does('map', 'update', 'm/percpu_flows', '7', '1');
    const result = ground.netkit('map', 'diff', 'm/percpu_flows', file('none.json', '[]'));
    expect(result.stdout).toMatch(/^- 7 \[1(,1)*\]\n$/);
  });
});
