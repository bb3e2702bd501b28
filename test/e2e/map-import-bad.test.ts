import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ErrorCode } from '../../src/base/errors.js';
import { Scope } from '../../src/base/scope.js';
import { expectUnchanged, type KernelState, snapshotKernelState } from '../support/kernel-state.js';
import { describeAsRoot } from '../support/requirements.js';
import { expectValid } from '../support/schema.js';
import { bpftoolDump, errorOf, fixture, type Ground, makeGround } from './ground.js';
import { Objects } from './objects.js';

interface Wrong {
  readonly status?: number;
  readonly code?: ErrorCode;
  readonly says: RegExp;
  readonly line?: number;
  readonly column?: number;
  /** Entries before the wrong one, which a plain import leaves in the map; 0 when the file is refused as a whole. */
  readonly written: number;
}

describeAsRoot(
  'a file of entries that is wrong is refused at its place, with what was applied and what was not:',
  () => {
    const owned = new Scope();
    let ground: Ground;
    let folder: string;
    let kernel: KernelState;

    beforeAll(() => {
      kernel = snapshotKernelState();
      ground = owned.use(makeGround());
      folder = owned.use(new Objects()).folder;
      ground.does(
        'load',
        fixture('maps'),
        '--name',
        'm',
        '--map-size',
        'flows=6',
        '--map-size',
        'prefixes_v4=10',
      );
    });
    afterAll(async () => {
      owned[Symbol.dispose]();
      await expectUnchanged(kernel);
    });

    const dump = (map: string) =>
      bpftoolDump(join(ground.bpffs.root.path, 'netkit/m/maps', map))
        .map(({ key, value }) => `${key} ${value}`)
        .sort();
    const file = (name: string, text: string | Uint8Array): string => {
      const path = join(folder, name);
      writeFileSync(path, text);
      return path;
    };

    const startOver = () => {
      const path = file('start.ndjson', '{"key":{"saddr":"10.0.0.100"},"value":{"packets":100}}\n');
      ground.does('map', 'import', 'm/flows', path, '--replace');
    };

    /** Imports in all ways; compares the map before with the map after. */
    function refused(map: string, path: string, wrong: Wrong, ...more: string[]): void {
      const { status = 2, code = 'bad-value', says, line, column, written } = wrong;
      if (map === 'flows') startOver();
      const before = dump(map);
      for (const way of [
        ['--atomic'],
        ['--replace'],
        ['--replace', '--atomic'],
        ['--replace', '--dry-run'],
      ]) {
        const result = ground.refuses(status, 'map', 'import', `m/${map}`, path, ...way, ...more);
        expect(result.stderr, way.join(' ')).toMatch(says);
        expect(result.stdout, way.join(' ')).toBe('');
        if (!way.includes('--dry-run')) expect(result.stderr).toMatch(/\(the map is as it was\)$/m);
        expect(dump(map), way.join(' ')).toEqual(before);
      }
      const args = ['map', 'import', `m/${map}`, path, ...more];
      const result = ground.refuses(status, ...args, '--json');
      expectValid('error', result.jsonError());
      const error = errorOf(result);
      expect(error.code).toBe(code);
      expect(error.message).toMatch(says);
      expect(error.message).toContain(path);
      expect(error.details).toMatchObject({
        written,
        ...(line === undefined ? {} : { line }),
        ...(column === undefined ? {} : { column }),
      });
      expect(error.message).toMatch(
        written === 0
          ? /\(the map is as it was\)$/
          : new RegExp(` \\(${written} entr(y was|ies were) written, (the rest was|1 was|\\d+ were) not\\)$`),
      );
      // Each import adds entries that nothing else brings.
      expect(dump(map).length - before.length).toBe(written);
    }

    describe('in a map of flows,', () => {
      const flow = (n: number) => `{"key":{"saddr":"10.0.0.${n}","dport":53},"value":{"packets":${n}}}`;
      const good = [flow(1), flow(2), flow(3)];
      const ndjson = (name: string, ...lines: string[]) => file(`${name}.ndjson`, `${lines.join('\n')}\n`);

      it('a value of the wrong width', () => {
        const bad = '{"key":"hex:0a0000090000","value":{}}';
        refused('flows', ndjson('width', ...good, bad), {
          says: /line 4, column 8: .*6 bytes.* has 16/,
          line: 4,
          column: 8,
          written: 3,
        });
      });

      it('a number out of range', () => {
        const bad = '{"key":{"saddr":"10.0.0.9","dport":65536},"value":{}}';
        refused('flows', ndjson('range', ...good, bad, flow(4)), {
          says: /line 4, column \d+: key\.dport: 65536/,
          line: 4,
          written: 3,
        });
      });

      it('a negative counter', () => {
        const bad = '{"key":{"saddr":"10.0.0.9"},"value":{"packets":-1}}';
        refused('flows', ndjson('negative', good[0] ?? '', bad), {
          says: /line 2, column \d+: value\.packets: -1/,
          line: 2,
          written: 1,
        });
      });

      it('a member that does not exist', () => {
        const bad = '{"key":{"saddr":"10.0.0.9","sprt":1},"value":{}}';
        refused('flows', ndjson('member', ...good, bad), {
          says: /line 4.*no member 'sprt'/,
          line: 4,
          written: 3,
        });
      });

      it('an entry without a key', () => {
        refused('flows', ndjson('keyless', ...good, '{"value":{}}'), {
          says: /line 4.*key/,
          line: 4,
          written: 3,
        });
      });

      it('an entry without a value', () => {
        refused('flows', ndjson('valueless', ...good, '{"key":{"saddr":"10.0.0.9"}}'), {
          says: /line 4.*value/,
          line: 4,
          written: 3,
        });
      });

      it('an address that is none', () => {
        const bad = '{"key":{"saddr":"10.0.0.256"},"value":{}}';
        refused('flows', ndjson('address', ...good, bad), {
          says: /line 4.*10\.0\.0\.256/,
          line: 4,
          written: 3,
        });
      });

      it('a key that stands there twice, in the same form or another', () => {
        const same = '{"key":{"dport":"0x35","saddr":"10.0.0.2"},"value":{"packets":9}}';
        refused('flows', ndjson('twice', ...good, same), {
          says: /line 4: the key .*10\.0\.0\.2.* stands in line 2 already/,
          line: 4,
          written: 3,
        });
      });

      it('a file cut in the middle of an entry', () => {
        const text = `${good.join('\n')}\n${flow(4).slice(0, 20)}`;
        refused('flows', file('cut.ndjson', text), { says: /line 4/, line: 4, written: 3 });
      });

      it('a JSON document cut in the middle, which may have lost entries', () => {
        refused('flows', file('cut.json', `[${good.join(',\n')}`), {
          says: /line 3/,
          line: 3,
          written: 3,
        });
      });

      it('a snapshot cut in the middle', () => {
        ground.does('map', 'import', 'm/flows', ndjson('whole', ...good), '--replace');
        const path = join(folder, 'whole.nkmap');
        ground.does('map', 'export', 'm/flows', path);
        const whole = bpftoolDump(join(ground.bpffs.root.path, 'netkit/m/maps/flows'));
        expect(whole).toHaveLength(3);
        const bytes = readFileSync(path);
        refused('flows', file('cut.nkmap', bytes.subarray(0, bytes.length - 60)), {
          says: /cut/,
          written: 0,
        });
        const damaged = Uint8Array.from(bytes);
        damaged[bytes.length - 60] = (damaged[bytes.length - 60] ?? 0) ^ 1;
        refused('flows', file('damaged.nkmap', damaged), { says: /damaged/, written: 0 });
        expect(
          ground.refuses(2, 'map', 'import', 'm/flows', file('no.nkmap', 'this is text')).stderr,
        ).toMatch(/not a snapshot/);
      });

      it('no JSON at all, or bytes that are no text', () => {
        refused('flows', ndjson('text', ...good, 'saddr=10.0.0.9'), {
          says: /line 4, column 1/,
          line: 4,
          column: 1,
          written: 3,
        });
        const bytes = Buffer.concat([
          Buffer.from(`${good.join('\n')}\n{"key":"`),
          Buffer.from([0xff]),
          Buffer.from('"}\n'),
        ]);
        refused('flows', file('bytes.ndjson', bytes), { says: /line 4/, line: 4, written: 3 });
      });

      it('CSV with other columns, too many or too few fields', () => {
        const header =
          'key.saddr,key.daddr,key.sport,key.dport,key.protocol,key.pad,value.packets,value.bytes';
        const row = (n: number) => `10.0.0.${n},0.0.0.0,0,53,17,"[0,0,0]",${n},0`;
        const csv = (name: string, ...lines: string[]) => file(`${name}.csv`, `${lines.join('\n')}\n`);
        refused('flows', csv('columns', header.replace('dport', 'port'), row(1)), {
          says: /line 1, column \d+: .*key\.port/,
          line: 1,
          written: 0,
        });
        refused('flows', csv('double', header.replace('daddr', 'saddr'), row(1)), {
          says: /line 1, column \d+: .*key\.saddr/,
          line: 1,
          written: 0,
        });
        refused('flows', csv('many', header, row(1), `${row(2)},7`), {
          says: /line 3/,
          line: 3,
          written: 1,
        });
        refused('flows', csv('few', header, row(1), '10.0.0.2,0.0.0.0'), {
          says: /line 3/,
          line: 3,
          written: 1,
        });
        refused('flows', file('empty.csv', ''), { says: /empty/, written: 0 });
      });

      it('more entries than the map holds, which a replacement knows before it begins', () => {
        const path = ndjson('many', ...[1, 2, 3, 4, 5, 6, 7, 8].map(flow));
        startOver();
        const before = dump('flows');
        const full = ground.refuses(5, 'map', 'import', 'm/flows', path);
        expect(full.stderr).toMatch(
          /line 6: \S*flows is full: it holds 6 entries \(5 entries were written, 3 were not\)$/m,
        );
        expect(dump('flows')).toHaveLength(6);
        startOver();
        for (const way of [['--atomic'], ['--replace'], ['--replace', '--atomic']]) {
          const result = ground.refuses(5, 'map', 'import', 'm/flows', path, ...way);
          expect(result.stderr).toMatch(/line (6|7): \S*flows .* \(the map is as it was\)$/m);
          expect(dump('flows')).toEqual(before);
        }
      });
    });

    describe('in a map of prefixes,', () => {
      it('host bits, which name the network meant', () => {
        const path = file(
          'hosts.csv',
          'key,value.action,value.note\n10.0.0.0/8,DROP,1\n10.1.2.3/16,PASS,2\n',
        );
        refused('prefixes_v4', path, {
          says: /line 3, column 1: .*10\.1\.2\.3\/16.*10\.1\.0\.0\/16/,
          line: 3,
          column: 1,
          written: 1,
        });
      });

      it('an enumerator that does not exist', () => {
        const path = file('enum.csv', 'key,value.action,value.note\n11.0.0.0/8,DROP,1\n12.0.0.0/8,DROOP,2\n');
        refused('prefixes_v4', path, {
          says: /line 3, column 12: .*'DROOP'/,
          line: 3,
          column: 12,
          written: 1,
        });
      });
    });

    it('an index beyond the end of an array', () => {
      const path = file('index.csv', 'key,value\n1,5\n8,6\n');
      const plain = ground.refuses(2, 'map', 'import', 'm/counts', path);
      expect(plain.stderr).toMatch(
        /index\.csv: line 3: .*its indices go from 0 to 7 \(1 entry was written, 1 was not\)$/m,
      );
      expect(ground.entry('m/counts', '1')).toBe(5);
      ground.does('map', 'update', 'm/counts', '1', '0');
      for (const way of ['--atomic', '--replace']) {
        ground.refuses(2, 'map', 'import', 'm/counts', path, way);
        expect(ground.entry('m/counts', '1')).toBe(0);
      }
    });

    it('a reference to what does not exist', () => {
      const path = file('refs.ndjson', '{"key":0,"value":"m/tenant_a"}\n{"key":1,"value":"m/nothing"}\n');
      const before = dump('tenants');
      expect(ground.refuses(2, 'map', 'import', 'm/tenants', path, '--atomic').stderr).toMatch(
        /line 2.*'nothing'/,
      );
      expect(dump('tenants')).toEqual(before);
    });

    it('a frozen map, an absent map, an absent file, a folder', () => {
      const path = file('one.csv', 'key,value\n1,5\n');
      ground.refuses(3, 'map', 'import', 'm/absent', path);
      expect(ground.refuses(3, 'map', 'import', 'm/counts', join(folder, 'absent.csv')).stderr).toMatch(
        /absent\.csv/,
      );
      expect(ground.refuses(2, 'map', 'import', 'm/counts', folder, '--format', 'csv').stderr).toMatch(
        /directory/,
      );
      expect(ground.refuses(2, 'map', 'import', 'm/counts', join(folder, 'x.txt')).stderr).toMatch(
        /does not tell a format/,
      );
      ground.does('map', 'freeze', 'm/counts');
      for (const way of [[], ['--atomic'], ['--replace']]) {
        const result = ground.refuses(4, 'map', 'import', 'm/counts', path, ...way);
        expect(result.stderr).toMatch(/frozen \(the map is as it was\)$/m);
      }
    });

    it('values without keys where nothing can be compared or taken back', () => {
      const path = file('queue.ndjson', '{"value":1}\n{"value":2}\n');
      expect(ground.refuses(6, 'map', 'import', 'm/queue', path, '--replace').stderr).toMatch(/have no keys/);
      expect(ground.refuses(6, 'map', 'import', 'm/queue', path, '--atomic').stderr).toMatch(
        /cannot be taken back/,
      );
      expect(ground.refuses(6, 'map', 'import', 'm/events', path).stderr).toMatch(/stream of records/);
    });
  },
);
