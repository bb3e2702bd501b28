import { machine } from 'node:os';
import { allHooks, type HookAvailability } from '../../ebpf/feature/hooks.js';
import { kernelRelease } from '../../host/kernel.js';
import { accessChecks } from '../checks/access.js';
import type { Check, CheckStatus } from '../checks/check.js';
import { kernelChecks } from '../checks/kernel.js';
import { softwareChecks } from '../checks/software.js';
import { stateChecks } from '../checks/state.js';
import type { Command } from '../context.js';
import { type Cell, type Page, tone } from '../page.js';
import type { DocumentOf } from '../schema/index.js';

type Document = DocumentOf<'doctor'>;

export const run: Command<'doctor'> = async (context, { object, interface: ifname }, { only }) => {
  const { output, paths } = context;
  const kernel = { release: kernelRelease(), machine: machine() };
  if (object !== undefined) {
    const { examine } = await import('../object-doctor.js');
    const found = await output.progress('looking at the object', () =>
      examine({ object, ifname, only, paths, netns: context.options.netns }),
    );
    output.result({ kernel, hooks: [], ...found }, (page) => fillObject(page, kernel, found));
    return exits[found.object.verdict];
  }
  const { checks, hooks } = await output.progress('looking at the kernel', async () => {
    const available = allHooks();
    const xdp = available.find(({ name }) => name === 'xdp');
    return {
      checks: [...kernelChecks(), ...accessChecks(paths, xdp), ...softwareChecks(), ...stateChecks(paths)],
      hooks: available,
    };
  });
  const document: Document = {
    kernel,
    object: null,
    checks,
    hooks: hooks.map(({ name, since, available, reason }) => ({
      name,
      since,
      available,
      reason: available === true ? null : reason,
    })),
  };
  output.result(document, (page) => {
    page.line('Linux ', tone('name', kernel.release), ' on ', kernel.machine).line();
    fillChecks(page, checks);
    fillHooks(page, hooks);
  });
  return checks.some(({ status }) => status === 'missing') ? 1 : 0;
};

type Verdict = NonNullable<Document['object']>['verdict'];

const exits: Readonly<Record<Verdict, number>> = { runs: 0, kernel: 6, user: 4, owner: 5 };
const verdicts: Readonly<Record<Verdict, string>> = {
  runs: 'can run here',
  kernel: 'cannot run on this kernel',
  user: 'cannot be run by this user',
  owner: 'cannot run there: somebody else is in the way',
};

function fillObject(
  page: Page,
  kernel: Document['kernel'],
  { object, checks }: { readonly object: NonNullable<Document['object']>; readonly checks: readonly Check[] },
): void {
  const { file, ifname, since, programs, verdict } = object;
  page.fields([
    ['object', file],
    ['programs', programs.join(', ') || 'none'],
    ['interface', ifname],
    ['kernel', `Linux ${kernel.release} on ${kernel.machine}`],
    ['needs', since === null ? null : `Linux ${since}, as far as versions tell`],
  ]);
  page.line();
  fillChecks(page, checks);
  page.line().line(tone(verdict === 'runs' ? 'good' : 'bad', `${file} ${verdicts[verdict]}`));
}

function fillChecks(page: Page, checks: readonly Check[]): void {
  page.table(
    ['STATUS', 'CHECK', 'FOUND'],
    checks.map(({ status, name, message }) => [statusCell(status), name, message]),
  );
  const advice = checks.filter(({ hint }) => hint !== null);
  if (advice.length > 0) page.line().line(tone('name', 'What to do'));
  page.table(
    ['CHECK', 'HINT'],
    advice.map(({ name, hint }) => [name, hint]),
  );
}

function statusCell(status: CheckStatus): Cell {
  switch (status) {
    case 'ok':
      return tone('good', status);
    case 'missing':
    case 'taken':
      return tone('bad', status);
    case 'warning':
      return tone('warning', status);
    case 'unknown':
      return tone('dim', status);
  }
}

function fillHooks(page: Page, hooks: readonly HookAvailability[]): void {
  page.line().line(tone('name', 'Hooks of this kernel'));
  page.table(
    ['HOOK', 'AVAILABLE', 'SINCE', 'WHY NOT'],
    hooks.map(({ name, available, since, reason }) => [
      name,
      available === null ? tone('dim', 'unknown') : available ? tone('good', 'yes') : tone('warning', 'no'),
      `Linux ${since}`,
      available === true ? '' : reason,
    ]),
  );
}
