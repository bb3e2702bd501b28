import type { FeatureDocument } from './feature-document.js';
import { type Cell, type Page, tone } from './page.js';

interface Style {
  /** Helpers and kfuncs one by one, not as a summary. */
  readonly isWhole: boolean;
  /** The program types that may call a helper are all named. */
  readonly full: boolean;
}

/** So many program types are named in a row; more are counted. */
const mostTypes = 6;

interface Answer {
  readonly name: string;
  readonly since: string | null;
  readonly available: boolean | null;
  readonly reason: string | null;
}

/** `netkit feature` as text. */
export function fillFeatures(page: Page, document: FeatureDocument, { isWhole, full }: Style): void {
  const { kernel, programTypes, mapTypes, hooks, helpers, kfuncs, misc, setup, build, interfaces } = document;
  page.line('Linux ', tone('name', kernel.release), ' on ', kernel.machine);
  if (programTypes !== null) answers(page, 'Program types', 'TYPE', programTypes);
  if (mapTypes !== null) answers(page, 'Map types', 'TYPE', mapTypes);
  if (hooks !== null) answers(page, 'Hooks', 'HOOK', hooks);
  if (helpers !== null && isWhole) fillHelpers(page, helpers, full);
  if (helpers !== null && !isWhole) summary(page, 'Helpers', helpers, 'netkit feature helpers lists them');
  if (kfuncs !== null && isWhole) fillKfuncs(page, kfuncs);
  if (kfuncs !== null && !isWhole) summary(page, 'Kfuncs', kfuncs, 'netkit feature kfuncs lists them');
  if (misc !== null) fillMisc(page, misc);
  if (setup !== null) fillSetup(page, setup);
  if (build !== null) fillBuild(page, build);
  if (interfaces !== null) fillInterfaces(page, interfaces);
}

/** `Helpers: 194 of 211` */
function heading(page: Page, title: string, all: readonly Answer[]): void {
  const there = all.filter(({ available }) => available === true).length;
  const open = all.filter(({ available }) => available === null).length;
  const unknown = open === 0 ? '' : `, ${open} unknown`;
  page.line().line(tone('name', title), `: ${there} of ${all.length}${unknown}`);
}

function answers(page: Page, title: string, column: string, all: readonly Answer[]): void {
  heading(page, title, all);
  page.table(
    [column, 'AVAILABLE', 'SINCE', { title: 'WHY NOT', mayCut: true }],
    all.map((each) => [each.name, availableCell(each.available), sinceCell(each.since), each.reason ?? '']),
  );
}

function availableCell(available: boolean | null): Cell {
  if (available === null) return tone('dim', 'unknown');
  return available ? tone('good', 'yes') : tone('warning', 'no');
}

function sinceCell(since: string | null): Cell {
  return since === null ? null : `Linux ${since}`;
}

function summary(page: Page, title: string, all: readonly Answer[], more: string): void {
  heading(page, title, all);
  const newer = all.filter(({ available, reason }) => available === false && reason?.startsWith('it came'));
  const without = all.filter((each) => each.available === false && !newer.includes(each));
  const open = all.filter(({ available }) => available === null);
  page.fields([
    ['too new for this kernel', listed(newer)],
    ['not here', listed(without)],
    ['unknown', open[0] === undefined ? null : `${listed(open)} (${open[0].reason})`],
  ]);
  page.line(tone('dim', more));
}

/** So many names are listed; of more the rest is counted. */
const mostNames = 8;

function listed(all: readonly Answer[]): string | null {
  if (all.length === 0) return null;
  const names = all.slice(0, mostNames).map(({ name }) => name);
  const rest = all.length - names.length;
  return `${names.join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
}

function fillHelpers(page: Page, helpers: NonNullable<FeatureDocument['helpers']>, full: boolean): void {
  heading(page, 'Helpers', helpers);
  page.table(
    ['HELPER', 'AVAILABLE', 'SINCE', { title: 'FOR', mayCut: !full }],
    helpers.map((each) => [
      each.name,
      availableCell(each.available),
      sinceCell(each.since),
      each.available === true ? forTypes(each, full) : each.reason,
    ]),
  );
}

function forTypes(
  { programTypes, whenSleepable }: NonNullable<FeatureDocument['helpers']>[number],
  full: boolean,
): string {
  const asleep = whenSleepable.map((type) => `${type} when sleepable`);
  const names = [...programTypes, ...asleep];
  if (full || names.length <= mostTypes) return names.join(', ');
  return `${names.length} program types`;
}

function fillKfuncs(page: Page, kfuncs: NonNullable<FeatureDocument['kfuncs']>): void {
  heading(page, 'Kfuncs', kfuncs);
  page.table(
    ['KFUNC', 'AVAILABLE', 'SINCE', 'MODULE', { title: 'WHY NOT', mayCut: true }],
    kfuncs.map((each) => [
      each.name,
      availableCell(each.available),
      sinceCell(each.since),
      each.module,
      each.reason ?? '',
    ]),
  );
}

function fillMisc(page: Page, misc: NonNullable<FeatureDocument['misc']>): void {
  heading(page, 'And else', misc);
  page.table(
    ['FEATURE', 'AVAILABLE', 'SINCE', 'WHAT IT IS', { title: 'WHY NOT', mayCut: true }],
    misc.map((each) => [
      each.name,
      availableCell(each.available),
      sinceCell(each.since),
      each.about,
      each.reason ?? '',
    ]),
  );
}

function fillSetup(page: Page, setup: NonNullable<FeatureDocument['setup']>): void {
  const onOff = (value: boolean | null): string => (value === null ? untold : value ? 'on' : 'off');
  const untold = 'the kernel does not tell here';
  const unprivileged = setup.unprivileged?.replaceAll('-', ' ');
  page.line().line(tone('name', 'How it is set up'));
  page.fields([
    ['JIT', setup.jit ?? untold],
    ['JIT hardening', setup.jitHardening ?? untold],
    ['JIT symbols', onOff(setup.jitSymbols)],
    ['JIT limit', setup.jitLimit === null ? untold : `${setup.jitLimit} bytes`],
    ['unprivileged bpf', unprivileged ?? untold],
    ['lockdown', setup.lockdown],
    ['statistics', onOff(setup.statistics)],
  ]);
}

function fillBuild(page: Page, build: NonNullable<FeatureDocument['build']>): void {
  page.line().line(tone('name', 'How it was built'));
  if (build.length === 0) page.line('neither the kernel nor its package tells');
  page.table(
    ['SETTING', 'VALUE', 'WHAT IT IS FOR'],
    build.map(({ name, about, value }) => [name, value, about]),
  );
}

function fillInterfaces(page: Page, interfaces: NonNullable<FeatureDocument['interfaces']>): void {
  page.line().line(tone('name', 'Interfaces'));
  for (const [index, each] of interfaces.entries()) {
    if (index > 0) page.line();
    page.line(tone('name', each.ifname));
    page.fields([
      ['  driver', each.driver ?? 'none'],
      ['  MTU', each.mtu],
      ['  queues', queues(each.channels)],
      ['  large receive offload', each.lro === null ? null : each.lro ? 'on' : 'off'],
      ['  XDP', each.xdp === null ? `unknown: ${each.reason}` : abilities(each.xdp)],
      ['  zero-copy buffers', each.xdp?.zeroCopySegments ?? null],
      ['  tells on receipt', each.xdp?.rxMetadata?.join(', ') || null],
      ['  does on sending', each.xdp?.txMetadata?.join(', ') || null],
    ]);
  }
}

type Xdp = NonNullable<NonNullable<FeatureDocument['interfaces']>[number]['xdp']>;

function abilities(xdp: Xdp): string {
  const words = [
    [xdp.native, 'native'],
    [xdp.offload, 'offload'],
    [xdp.redirect, 'redirect'],
    [xdp.redirectTarget, 'target of redirects'],
    [xdp.frags, 'packets in several buffers'],
    [xdp.fragsTarget, 'target of redirects in several buffers'],
    [xdp.zeroCopy, 'zero-copy sockets'],
  ] as const;
  const there = words.flatMap(([has, word]) => (has ? [word] : []));
  return there.length === 0 ? 'generic mode only' : there.join(', ');
}

function queues(channels: NonNullable<FeatureDocument['interfaces']>[number]['channels']): string | null {
  if (channels === null) return null;
  const { rx, tx, combined, maxRx, maxTx, maxCombined } = channels;
  const parts = [
    [combined, maxCombined, ''],
    [rx, maxRx, ' to receive'],
    [tx, maxTx, ' to send'],
  ] as const;
  const used = parts.flatMap(([now, most, what]) => (most > 0 ? [`${now} of ${most}${what}`] : []));
  return used.join(', ') || null;
}
