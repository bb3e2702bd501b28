/** `status` for people. */
import { pendingText } from './confirmation.js';
import { type Cell, type Page, tone } from './page.js';
import type { StatusInfo } from './status-document.js';
import { targetText } from './tables.js';

type FunctionInfo = StatusInfo['functions'][number];
type ChainInfo = StatusInfo['chains'][number];

/** More numbers of one metric are for `--json`. */
const mostSamples = 20;

const conditions: Readonly<Record<FunctionInfo['condition'], Cell>> = {
  running: tone('good', 'running'),
  partly: tone('bad', 'not wholly attached'),
  absent: tone('bad', 'not in the kernel'),
  unknown: tone('bad', 'unknown: its state cannot be read'),
};

const reasons: Readonly<Record<FunctionInfo['places'][number]['reason'], string>> = {
  waiting: 'waits for',
  missing: 'missing:',
  open: 'not attached yet:',
  detached: 'detached by hand:',
};

const forms: Readonly<Record<NonNullable<ChainInfo['form']>, string>> = {
  dispatcher: 'a dispatcher of libxdp',
  'tail-calls': 'tail calls',
  tcx: 'the order of tcx',
  'netkit-device': 'the order of the netkit device',
  tc: 'priorities of tc filters',
  cgroup: 'the order of the cgroup',
  alone: 'a program alone',
  mixed: 'different ways',
};

export function fillStatus(page: Page, { functions, chains }: StatusInfo): void {
  if (functions.length === 0 && chains.length === 0) page.line('nothing is declared');
  functions.forEach((each, index) => {
    if (index > 0) page.line();
    fillFunction(page, each);
  });
  chains.forEach((each, index) => {
    if (index > 0 || functions.length > 0) page.line();
    fillChain(page, each);
  });
}

function fillFunction(page: Page, each: FunctionInfo): void {
  const { generation, former, manifest, object } = each;
  page.line(tone('name', each.name), ' ', conditions[each.condition]);
  const kept = former.map(({ number }) => number).join(', ');
  const known = generation !== null;
  page.fields([
    ['  labels', labelText(each.labels)],
    [
      '  generation',
      known
        ? `${generation.number}${generation.from === null ? '' : `, which is ${generation.from} again`}, since ${generation.since}`
        : null,
    ],
    ['  can go back to', kept === '' ? null : `generation ${kept}`],
    ['  manifest', known ? (manifest ?? 'standard input') : null],
    ['  object', object === null ? null : `${object.path} (${object.sha256.slice(0, 12)})`],
    [
      '  programs',
      each.programs.map(({ name, id }) => (id === null ? `${name} (not there)` : name)).join(', '),
    ],
    ['  chains', each.chains.join(', ') || null],
  ]);
  for (const link of each.links) fillLink(page, link);
  for (const place of each.places) {
    const of = place.target === null ? '' : ` of ${place.target}`;
    const where = place.netns === null ? '' : ` in netns ${place.netns}`;
    const text = `${reasons[place.reason]} ${place.hook ?? 'its hook'}${of}${where} for ${place.program}`;
    page.line('  ', place.reason === 'waiting' ? tone('dim', text) : tone('bad', text));
  }
  if (each.pending !== null) {
    const { settling, pending } = each;
    const text =
      settling === null
        ? pendingText(pending)
        : `'${pending.command}' is kept if all is well: its ${settling} is being watched`;
    page.line('  ', tone('warning', text));
  }
  for (const metric of each.metrics) fillMetric(page, metric);
  for (const problem of each.problems) page.line('  ', tone('bad', problem));
}

function fillLink(page: Page, { link, alive, declared, order }: FunctionInfo['links'][number]): void {
  const remarks = [
    ...(order === null || order.of < 2 ? [] : [`number ${order.place} of ${order.of}`]),
    ...(declared ? [] : ['by hand']),
  ];
  const more = remarks.length === 0 ? '' : ` (${remarks.join(', ')})`;
  const text = `${link.program.name ?? 'a program'} on ${targetText({ ...link, dead: false })}${more}`;
  page.line('  ', alive ? tone('good', 'attached') : tone('bad', 'lost'), ` ${text}`);
}

function fillMetric(page: Page, { name, samples, problem }: FunctionInfo['metrics'][number]): void {
  if (problem !== null) page.line(`  ${name}: `, tone('bad', problem));
  else if (samples.length === 0) page.line(`  ${name}: no entries`);
  for (const { labels, value } of samples.slice(0, mostSamples)) {
    const text = Object.entries(labels).map(([label, of]) => `${label}=${JSON.stringify(of)}`);
    page.line(`  ${name}${text.length === 0 ? '' : `{${text.join(',')}}`} ${String(value)}`);
  }
  if (samples.length > mostSamples)
    page.line(tone('dim', `  ${name}: ${samples.length - mostSamples} more, which --json has`));
}

function fillChain(page: Page, each: ChainInfo): void {
  const { form, inOrder, problem } = each;
  const order =
    problem !== null
      ? tone('bad', 'unknown: its state cannot be read')
      : inOrder === null
        ? tone('warning', 'whether it is in order is not to be seen')
        : inOrder
          ? tone('good', 'in order')
          : tone('bad', each.members.every(({ alive }) => alive) ? 'not in the declared order' : 'not whole');
  page.line('chain ', tone('name', each.name), ' ', order);
  const where = each.netns === null ? '' : ` in netns ${each.netns}`;
  page.fields([
    ['  labels', labelText(each.labels)],
    ['  on', each.hook === null ? null : `${each.hook} of ${each.interface}${where}`],
    ['  by', form === null ? null : forms[form]],
    ['  manifest', each.appliedAt === null ? null : (each.manifest ?? 'standard input')],
  ]);
  page.table(
    [{ title: '  NUMBER', align: 'right' }, 'FUNCTION', 'PROGRAM', 'PRIORITY', 'IN THE KERNEL'],
    each.members.map(({ function: owner, program, alive, priority, place }, index) => [
      index + 1,
      tone('name', owner),
      program,
      priority,
      alive ? tone('good', place === null ? 'attached' : `number ${place}`) : tone('bad', 'not attached'),
    ]),
  );
  if (problem !== null) page.line('  ', tone('bad', problem));
}

function labelText(labels: Readonly<Record<string, string>>): string | null {
  const texts = Object.entries(labels).map(([name, value]) => `${name}=${value}`);
  return texts.length === 0 ? null : texts.join(', ');
}
