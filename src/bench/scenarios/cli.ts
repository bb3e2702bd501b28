/** `netkit bench cli`: what commands take, from the start of the process to its end, beside those of other tools. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf, NetkitError } from '../../base/errors.js';
import { suggestion } from '../../base/suggest.js';
import { findTool } from '../../host/command.js';
import { packageRoot } from '../../host/package-root.js';
import { versionOf } from '../lab/tool-versions.js';
import type { Group, PrepareContext, Prepared, Scenario } from '../scenario.js';
import { CliLab } from './commands/command-lab.js';
import { cliGroups, metricsOf } from './commands/metrics.js';
import { CliVariant } from './commands/variant.js';
import { type Task, taskNames, tasks, tools, type Way } from './commands/ways.js';

export interface CliOptions {
  /** Names of tasks; all when empty. */
  readonly only: readonly string[];
  /** How this very command line is started: Node, and what it is given before the words. */
  readonly netkit: readonly [file: string, ...args: string[]];
}

/** A command of netkit's fits in two or three times. */
const sliceSeconds = 0.3;

const generalNotes = [
  'Of each command the start of its process is a part, and of one of netkit that of Node. State is kept in memory: what a disk takes to sync is not in it.',
  'Memory is the most that was resident at a time, pages that are shared with other processes among them.',
  'Nothing unloads with bpftool: there it is rm, which takes the pins away.',
] as const;

/** @throws NetkitError `usage` for a task that there is not */
export function cliScenario({ only, netkit }: CliOptions): Scenario {
  const unknown = only.find((name) => !taskNames.includes(name));
  if (unknown !== undefined) {
    throw new NetkitError('usage', `--only: there is no task '${unknown}'`, {
      hint: suggestion(unknown, taskNames) ?? `the tasks are ${taskNames.join(', ')}`,
    });
  }
  const chosen = tasks.filter(({ name }) => only.length === 0 || only.includes(name));
  return {
    name: 'cli',
    title: 'What does a command take, from start to end?',
    sliceSeconds,
    prepare: async (context) => prepare(chosen, netkit, context),
  };
}

/** @throws NetkitError `tool-missing` without `ip`, `not-found` in a checkout that was built without clang */
function prepare(chosen: readonly Task[], netkit: CliOptions['netkit'], context: PrepareContext): Prepared {
  const object = join(packageRoot(), 'dist/bpf/firewall.bpf.o');
  if (!existsSync(object)) {
    throw new NetkitError('not-found', `'${object}', which is loaded, is missing`, {
      hint: 'build netkit with clang installed: npm run build',
    });
  }
  const lab = new CliLab(netkit, object, context);
  const unfit = unfitTools();
  const leftOut = new Set<string>();
  const groups = chosen.map((task): Group => groupOf(task, lab, context.signal, { unfit, leftOut }));
  return {
    groups,
    environment: () => lab.environment(),
    complete: (measured) =>
      measured.flatMap((group) => {
        const task = chosen.find(({ name }) => name === group.name);
        return task === undefined ? [] : cliGroups(group, task);
      }),
    notes: () => [...leftOut, ...generalNotes],
  };
}

/** Why tools cannot be measured: those that are not installed, and those that are and do not work. */
function unfitTools(): ReadonlyMap<string | undefined, string> {
  const unfit = new Map<string, string>();
  for (const [tool, args] of Object.entries(tools)) {
    const version = findTool(tool) === undefined ? undefined : versionOf(tool, args);
    if (version === undefined) unfit.set(tool, `the program '${tool}' is not installed`);
    else if (version instanceof NetkitError) unfit.set(tool, messageOf(version));
  }
  return unfit;
}

interface Choice {
  readonly unfit: ReadonlyMap<string | undefined, string>;
  readonly leftOut: Set<string>;
}

function groupOf(task: Task, lab: CliLab, signal: AbortSignal, { unfit, leftOut }: Choice): Group {
  for (const { title, tool } of task.ways) {
    const reason = unfit.get(tool);
    if (reason !== undefined) leftOut.add(`Left out: ${title}, since ${reason}.`);
  }
  const make = ({ name, title, commands }: Way, role: CliVariant['role']): CliVariant => {
    const again = role === 'control';
    const texts = { name: again ? `${name} again` : name, title: again ? `${title} (again)` : title, role };
    return new CliVariant(texts, commands(lab.stand), { netns: lab.netns, env: lab.env, signal });
  };
  const variants = task.ways
    .filter(({ tool }) => !unfit.has(tool))
    .flatMap((way, at) =>
      at === 0 ? [make(way, 'reference'), make(way, 'control')] : [make(way, 'variant')],
    );
  return { name: task.name, title: task.title, axis: null, metrics: metricsOf(task), variants };
}
