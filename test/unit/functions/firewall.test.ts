import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { formatAddress, parsePrefix } from '../../../src/base/address.js';
import type { ConfigReading } from '../../../src/cnf/function-kind.js';
import { readManifests } from '../../../src/cnf/manifest/read.js';
import { configuration } from '../../../src/functions/firewall/configuration.js';
import { functionKinds } from '../../../src/functions/index.js';
import { packageRoot } from '../../../src/host/package-root.js';
import { eagerImports, sourceFiles } from '../../lint/layers.js';

const problems = (config: unknown) => {
  const reading = configuration.resolve(config);
  return (reading.problems ?? []).map(({ path, message }) => `${path.join('.')}: ${message}`);
};

function resolved(config: unknown) {
  const reading: ConfigReading = configuration.resolve(config);
  if (reading.problems !== null) throw new Error(JSON.stringify(reading.problems));
  return reading.resolved;
}

describe('the configuration of the firewall', () => {
  it('is found by the name of the function', async () => {
    const kind = functionKinds.find(({ name }) => name === 'firewall');
    expect(await kind?.configuration()).toBe(configuration);
  });

  it('sets the default, and makes entries of both families, of which it declares the action alone', () => {
    expect(
      resolved({
        defaultAction: 'drop',
        block: ['10.0.0.0/8', '2001:DB8:0::/32', '192.0.2.1'],
        allow: ['10.1.2.0/24', 'fe80::/10'],
        maxEntries: 1000,
      }),
    ).toEqual({
      globals: { default_action: 'drop' },
      maps: {
        blocklist_v4: {
          maxEntries: 1000,
          entries: {
            '10.0.0.0/8': { action: 'drop' },
            '192.0.2.1/32': { action: 'drop' },
            '10.1.2.0/24': { action: 'pass' },
          },
        },
        blocklist_v6: {
          maxEntries: 1000,
          entries: { '2001:db8::/32': { action: 'drop' }, 'fe80::/10': { action: 'pass' } },
        },
      },
    });
  });

  it('says nothing of what it leaves open', () => {
    expect(resolved({})).toEqual({ globals: {}, maps: {} });
    expect(resolved({ block: [], allow: [] })).toEqual({ globals: {}, maps: {} });
    expect(resolved({ allow: ['::1'] })).toEqual({
      globals: {},
      maps: { blocklist_v6: { entries: { '::1/128': { action: 'pass' } } } },
    });
    expect(resolved({ maxEntries: 7 }).maps).toEqual({
      blocklist_v4: { maxEntries: 7 },
      blocklist_v6: { maxEntries: 7 },
    });
  });

  it('refuses prefixes with host bits, by what was meant', () => {
    expect(problems({ block: ['10.0.0.0/8', '10.1.2.3/8'], allow: ['2001:db8::1/32'] })).toEqual([
      'block.1: 10.1.2.3/8 has host bits set: did you mean 10.0.0.0/8?',
      'allow.0: 2001:db8::1/32 has host bits set: did you mean 2001:db8::/32?',
    ]);
  });

  it('refuses a prefix that is there twice, in either list, however it is written', () => {
    expect(
      problems({ block: ['10.0.0.1', '::/0', '10.0.0.1/32'], allow: ['0:0::/0', '10.0.0.0/8'] }),
    ).toEqual(["block.2: '10.0.0.1/32' is in block[0] already", "allow.0: '::/0' is in block[1] already"]);
  });

  it.each([
    ['10.0.0.0/33', 'more than 32'],
    ['10.0.0/8', 'four parts'],
    ['010.0.0.0/8', 'leading zero'],
    ['2001:db8::/129', 'more than 128'],
    ['2001:db8/32', 'fewer than eight groups'],
    ['10.0.0.0/08', 'decimal number'],
    ['10.0.0.0/', "expected a prefix such as '10.0.0.0/8' or '2001:db8::/32'"],
    ['eth0', 'expected a prefix'],
    ['fe80::1%eth0', 'expected a prefix'],
    ['', 'expected a prefix'],
    [10, 'expected a prefix'],
    [null, 'expected a prefix'],
    [['10.0.0.0/8'], 'expected a prefix'],
  ])('refuses %j as a prefix, and says why, once', (text, why) => {
    const found = problems({ allow: [text] });
    expect(found).toEqual([expect.stringContaining(why)]);
    expect(found[0]).toMatch(/^allow\.0: /);
  });

  it('refuses lists that are larger than the room for them, by family', () => {
    const config = { block: ['10.0.0.0/8', '10.0.0.1'], allow: ['10.0.0.2', '::1'] };
    expect(problems({ ...config, maxEntries: 3 })).toEqual([]);
    expect(problems({ ...config, maxEntries: 2 })).toEqual([
      "maxEntries: expected room for the 3 IPv4 prefixes of 'block' and 'allow', not for 2",
    ]);
  });

  it('refuses lists that are longer than anybody reads', () => {
    const block = Array.from({ length: 10_001 }, (_, index) => `10.0.${index >> 8}.${index & 255}`);
    expect(problems({ block: block.slice(1) })).toEqual([]);
    expect(problems({ block })).toEqual([expect.stringContaining('at most 10000 prefixes')]);
  });

  it('tells all that is wrong at once, and where', () => {
    expect(
      problems({
        defaultAction: 'reject',
        blocked: [],
        block: '10.0.0.0/8',
        allow: ['10.0.0.1/8', 'x'],
        maxEntries: 0,
      }).sort(),
    ).toEqual([
      'allow.0: 10.0.0.1/8 has host bits set: did you mean 10.0.0.0/8?',
      "allow.1: expected a prefix such as '10.0.0.0/8' or '2001:db8::/32', not 'x'",
      "block: expected a list of prefixes, not '10.0.0.0/8'",
      expect.stringMatching(/^blocked: unknown field/),
      "defaultAction: expected one of the actions: pass, drop, not 'reject'",
      'maxEntries: expected a whole number from 1 to 4294967295, not 0',
    ]);
    expect(problems(null)).toEqual([': expected a configuration of the firewall (a mapping), not nothing']);
  });

  it('has a closed JSON Schema in which each field is described', () => {
    const json = z.toJSONSchema(configuration.schema, { io: 'input' });
    expect(json.additionalProperties).toBe(false);
    expect(Object.keys(json.properties ?? {})).toEqual(['defaultAction', 'block', 'allow', 'maxEntries']);
    for (const field of Object.values(json.properties ?? {}))
      expect(field).toHaveProperty('description', expect.stringMatching(/^.{30,}$/));
  });

  it('is read from a manifest as the documentation has it', async () => {
    const page = readFileSync(join(packageRoot(), 'docs/firewall.md'), 'utf8');
    const [, text = ''] = /```yaml\n(.*?)```/s.exec(page) ?? [];
    const folder = mkdtempSync(join(tmpdir(), 'netkit-firewall-'));
    try {
      const path = join(folder, 'fw.yaml');
      writeFileSync(path, text.replace('defaultAction: pass', 'maxEntries: 5'));
      const { documents } = await readManifests([path]);
      const [read] = documents;
      if (read?.document.kind !== 'NetworkFunction') throw new Error('there is no function');
      expect(resolved(read.document.spec.config)).toEqual({
        globals: {},
        maps: {
          blocklist_v4: {
            maxEntries: 5,
            entries: { '10.0.0.0/8': { action: 'drop' }, '10.1.2.0/24': { action: 'pass' } },
          },
          blocklist_v6: { maxEntries: 5, entries: { '2001:db8:bad::/48': { action: 'drop' } } },
        },
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('keeps every set of prefixes as it is, each with its action', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ minLength: 4, maxLength: 4 }),
      fc.uint8Array({ minLength: 16, maxLength: 16 }),
    );
    // Whole addresses have no host bits.
    const addresses = fc.uniqueArray(
      bytes.map((all) => formatAddress(all)),
      { maxLength: 40 },
    );
    fc.assert(
      fc.property(addresses, fc.nat(40), (all, cut) => {
        const { maps } = resolved({ block: all.slice(0, cut), allow: all.slice(cut) });
        const entries = Object.values(maps).flatMap((map) => Object.entries(map.entries ?? {}));
        expect(new Map(entries)).toEqual(
          new Map(
            all.map((text, index) => {
              const { bytes: address, length } = parsePrefix(text);
              return [`${formatAddress(address)}/${length}`, { action: index < cut ? 'drop' : 'pass' }];
            }),
          ),
        );
      }),
    );
  });
});

describe('the list of functions', () => {
  it('loads none of them, nor what they are written with', async () => {
    const files = sourceFiles(packageRoot());
    const list = files.find(({ path }) => path === 'src/functions/index.ts');
    if (list === undefined) throw new Error('there is no list');
    expect([...(await eagerImports(list, files)).keys()]).toEqual([]);
  });

  it('has names that are objects of netkit, each once', () => {
    const names = functionKinds.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const name of names)
      expect(readFileSync(join(packageRoot(), `bpf/${name}.bpf.c`), 'utf8')).toContain('SEC("license")');
  });
});
