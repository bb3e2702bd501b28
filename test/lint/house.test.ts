import { readdirSync, readFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';
import { isGenerated, layers, sourceFiles } from './layers.js';

const root = join(import.meta.dirname, '../..');
/** What .gitignore leaves out, other programs' folders, and what holds no text. */
const ignored =
  /^(node_modules|dist|coverage|\.(?!ci\b)[^/]+\/.*)$|^\.(git|cache|npm)$|\.(tgz|o|pcap|pcapng|bin|btf|gz)$/;

/** The files of the checkout, found without git, which a bare machine does not have. */
function filesBelow(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = relative(root, join(root, folder, entry.name));
    if (ignored.test(path)) {
      return [];
    }
    return entry.isDirectory() ? filesBelow(path) : entry.isFile() ? [path] : [];
  });
}

const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const files = filesBelow('.');
const sources = sourceFiles(root);
const json = (path: string): Record<string, unknown> => JSON.parse(read(path));

describe('source files', () => {
  test('have 350 lines at most', () => {
    const long = sources
      .filter((file) => !isGenerated(file))
      .map(({ path, text }) => ({ path, lines: text.trimEnd().split('\n').length }))
      .filter(({ lines }) => lines > 350);
    expect(long).toEqual([]);
  });

  test('are named after what they hold', () => {
    const vague = /(^|[-.])(utils?|helpers?|managers?)([-.]|$)/i;
    // Programs of others' making, and those named after a rule of the verifier's about helpers.
    const elsewhere = /^test\/(fixtures|refusals)\//;
    expect(files.filter((path) => vague.test(basename(path)) && !elsewhere.test(path))).toEqual([]);
  });

  test('lie in no folder that is named like another layer, which the lint rules would take for it', () => {
    const inside = sources
      .map(({ path }) => path.split('/').slice(2, -1))
      .filter((folders) => folders.some((folder) => folder in layers));
    expect(inside).toEqual([]);
  });

  test('in TypeScript carry no cast that silences the compiler', () => {
    const silenced = sources.filter(({ text }) =>
      /\bas (any|never)\b|@ts-(ignore|expect-error|nocheck)/.test(text),
    );
    expect(silenced.map(({ path }) => path)).toEqual([]);
  });
});

describe('the matrix of capabilities and kernels', () => {
  test('has each file of tests that virtual machines run in exactly one row', () => {
    const rows = Object.entries(json('scripts/vm/capabilities.json'));
    const patterns = rows.flatMap(([row, names]) =>
      (Array.isArray(names) ? names : []).map((name: string) => ({
        row,
        pattern: new RegExp(`^${name.replaceAll('*', '.*')}$`),
      })),
    );
    const misplaced = files
      .filter((path) => /^test\/(kernel|e2e)\/.*\.test\.ts$/.test(path))
      .map((path) => {
        const name = basename(path, '.test.ts');
        const own = patterns.filter(({ pattern }) => pattern.test(name)).map(({ row }) => row);
        return { path, rows: [...new Set(own)] };
      })
      .filter((each) => each.rows.length !== 1);
    expect(misplaced).toEqual([]);
  });
});

describe('no `using` stands in a loop', () => {
  // esbuild keeps what was thrown in a variable of the whole function: an iteration that fails and whose error is
  // caught would make each later one fail with the same error, though nothing went wrong in it.
  test('of the sources', () => {
    const found = sources.flatMap(({ path, text }) =>
      usingInLoops(text).map((line) => `${path}:${line}: move the body into a function of its own`),
    );
    expect(found).toEqual([]);
  });

  test.each([
    ['for (const name of names) {', '}'],
    ['for await (const name of names()) {', '}'],
    ['for (\n  let at = 0;\n  at < 9;\n  at++\n) {', '}'],
    ['while (more()) {', '}'],
    ['do {', '} while (more());'],
    ['again: for (;;) {', '}'],
  ])('planted in %j, which is found, also in a block inside of it', (open, close) => {
    const use = 'using fd = openIt();';
    const first = open.split('\n').length + 1;
    expect(usingInLoops(`${open}\n  ${use}\n${close}\n`)).toEqual([first]);
    expect(usingInLoops(`${open}\n  try {\n    await ${use}\n  } catch {}\n${close}\n`)).toEqual([first + 1]);
    expect(usingInLoops(`${open}\n  if (a) {\n  } else {\n\n    ${use}\n  }\n${close}\n`)).toEqual([
      first + 3,
    ]);
  });

  test('but in a function within one, or after one, it may', () => {
    const use = 'using fd = openIt();';
    expect(usingInLoops(`for (const a of b) {\n  run(() => {\n    ${use}\n  });\n}\n`)).toEqual([]);
    expect(usingInLoops(`for (const a of b) {\n  go(a);\n}\n${use}\n`)).toEqual([]);
    expect(usingInLoops(`function each(\n  name: string,\n): void {\n  ${use}\n}\n`)).toEqual([]);
    expect(usingInLoops(`if (a) {\n  ${use}\n}\n`)).toEqual([]);
  });
});

describe('the package', () => {
  const manifest = json('package.json');

  test('has koffi as its one dependency at run time', () => {
    expect(Object.keys(manifest.dependencies ?? {})).toEqual(['koffi']);
    for (const field of ['peerDependencies', 'optionalDependencies', 'bundleDependencies']) {
      expect(manifest).not.toHaveProperty(field);
    }
  });

  test('pins every dependency to one version', () => {
    const all = Object.entries({ ...object(manifest.dependencies), ...object(manifest.devDependencies) });
    expect(all.filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(String(version)))).toEqual([]);
  });

  test('runs no script when it is installed', () => {
    const scripts = Object.keys(object(manifest.scripts));
    expect(scripts.filter((name) => /^(pre|post)?(install|prepare)$|^prepublish/.test(name))).toEqual([]);
  });

  test('has a lockfile with integrity for each package, and without the address that it came from', () => {
    const packages = Object.entries(object(json('package-lock.json').packages)).filter(
      ([path]) => path !== '',
    );
    expect(packages.length).toBeGreaterThan(10);
    expect(
      packages.filter(([, entry]) => !('integrity' in object(entry)) || 'resolved' in object(entry)),
    ).toEqual([]);
    expect(read('.npmrc')).not.toMatch(/registry\s*=/);
  });
});

describe('licences', () => {
  test('stand in the first line of every C file', () => {
    const c = files.filter((path) => /^(bpf|examples)\/.*\.[ch]$/.test(path));
    const wanted = 'SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause';
    expect(c.filter((path) => !read(path).split('\n', 1)[0]?.includes(wanted))).toEqual([]);
  });

  test('are all there as text', () => {
    expect(read('LICENSE')).toContain('Apache License');
    expect(read('LICENSES/Apache-2.0.txt')).toBe(read('LICENSE'));
    expect(read('LICENSES/GPL-2.0-only.txt')).toContain('GNU GENERAL PUBLIC LICENSE');
    expect(read('LICENSES/BSD-2-Clause.txt')).toContain('Redistribution and use in source and binary forms');
  });
});

describe('no file names', () => {
  const text = files
    .filter((path) => !path.startsWith('LICENSES/'))
    .map((path) => ({ path, content: read(path) }));

  test('somebody’s home directory, or the folder of this checkout', () => {
    const home = /(^|[\s"'`(=:])\/(home|Users)\/[a-z]|(^|[\s"'`(=:])\/root\/[\w.]/m;
    const own = root.length > '/netkit'.length ? root : undefined;
    const named = text.filter(
      ({ content }) => home.test(content) || (own !== undefined && content.includes(`${own}/`)),
    );
    expect(named.map(({ path }) => path)).toEqual([]);
  });

  test('a conflict that nobody resolved', () => {
    const marker = new RegExp(`^(${'<'.repeat(7)}|${'>'.repeat(7)}) `, 'm');
    expect(text.filter(({ content }) => marker.test(content)).map(({ path }) => path)).toEqual([]);
  });
});

function object(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value)) : {};
}

/** Lines, from 1, of `using` declarations that a loop of the same function is around. Blocks are told by indentation. */
function usingInLoops(text: string): number[] {
  const lines = text.split('\n');
  return lines.flatMap((line, at) =>
    /^\s*(await )?using \w/.test(line) && isInLoop(lines, at) ? [at + 1] : [],
  );
}

function isInLoop(lines: readonly string[], from: number): boolean {
  let depth = indentation(lines[from]);
  for (let at = from - 1; at >= 0 && depth > 0; at--) {
    const line = lines[at] ?? '';
    // Comments at the margin aside, nothing of a block stands further left than the line that opens it.
    if (line.trim() === '' || indentation(line) >= depth) continue;
    const opener = line.trim();
    depth = indentation(line);
    if (opener.startsWith(')')) {
      // It ends a head of several lines, which the next line at its depth begins.
      while (at > 0 && (lines[at - 1]?.trim() === '' || indentation(lines[at - 1]) > depth)) at--;
      depth += 1;
      continue;
    }
    if (/^(\w+: )?(for|while|do)\b/.test(opener)) return true;
    const isBlock = /^(\}? ?(if|else|try|catch|finally)\b|switch\b|case\b|default:|\{)/.test(opener);
    if (!isBlock) return false;
  }
  return false;
}

function indentation(line = ''): number {
  return line.length - line.trimStart().length;
}
