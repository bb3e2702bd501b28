// `node scripts/hooks-matrix.mjs`: writes docs/hooks-matrix.md from what test/kernel/ebpf/attach-kinds.test.ts left in
// test-results/hooks-*.json, on this machine and, through `npm run test:vm`, in virtual machines.
//   --check   compares instead, and ends with 1 when it would write something else
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const document = join(root, 'docs/hooks-matrix.md');
const results = join(root, 'test-results');

/** By release line; of several runs on one, the newest release. */
const columns = new Map();
for (const file of readdirSync(results).sort()) {
  if (!/^hooks-.*\.json$/.test(file)) {
    continue;
  }
  const { kernel, hooks } = JSON.parse(readFileSync(join(results, file), 'utf8'));
  if (hooks.length === 0 || hooks.some(({ outcome }) => outcome === 'failed')) {
    console.error(`hooks-matrix: ${file} is of a run that failed: remove it, or run the test again`);
    process.exit(2);
  }
  const line = kernel.split('.', 2).join('.').replace(/-.*/, '');
  columns.set(line, new Map(hooks.map((row) => [row.hook, row])));
}
const lines = [...columns.keys()].sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
if (lines.length === 0) {
  console.error('hooks-matrix: no results: run test/kernel/ebpf/attach-kinds.test.ts first');
  process.exit(2);
}
const text = page();
if (!process.argv.includes('--check')) {
  writeFileSync(document, text);
} else if (readFileSync(document, 'utf8') !== text) {
  console.error('hooks-matrix: docs/hooks-matrix.md is not what the results make');
  process.exit(1);
}

function page() {
  const hooks = [...columns.get(lines.at(-1)).keys()];
  const reasons = [];
  const cell = (row) => {
    if (row === undefined) {
      return '?';
    }
    if (row.outcome === 'fired') {
      return row.reason === 'none' ? 'run' : row.reason;
    }
    if (!reasons.includes(row.reason)) {
      reasons.push(row.reason);
    }
    return `no (${reasons.indexOf(row.reason) + 1})`;
  };
  const rows = hooks.map((hook) => {
    const cells = lines.map((line) => cell(columns.get(line).get(hook)));
    return `| \`${hook}\` | ${cells.join(' | ')} |`;
  });
  const fired = lines.map((line) => {
    const all = [...columns.get(line).values()];
    return `${all.filter(({ outcome }) => outcome === 'fired').length} of ${all.length}`;
  });
  return `# Hooks by kernel

Every section name that libbpf knows, and whether a program of it can be attached by netkit's library: not from
documentation, but from a test that loads a program, attaches it, makes it fire (a packet, a socket call, a system call, a
function call, counted in a map), detaches it and sees that it is silent. This page is written by
\`node scripts/hooks-matrix.mjs\` from the test's results; the test compares it with what it sees.

A cell says who holds the attachment: \`link\`, a kernel object that can be pinned; \`kernel\`, the place itself (a map's
entry, a tc filter, a route) until somebody takes it away; \`process\`, an open file or a socket; \`run\`: such a program is
run, not attached. \`no\` has its reason below the table. 6.18 is a small kernel without modules, which also bars tracing
programs; the others are Debian's. There is a column for each kernel whose results were there.

| Section | ${lines.join(' | ')} |
|---|${lines.map(() => '---|').join('')}
${rows.join('\n')}
| **fired** | ${fired.join(' | ')} |

${reasons.map((reason, index) => `${index + 1}. ${reason}`).join('\n')}
`;
}
