/** `netkit bench cli`: what commands take, from the start of the process to its end, beside those of other tools. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { NetkitError } from '../../base/errors.js';
import { suggestion } from '../../base/suggest.js';
import { findTool } from '../../host/command.js';
import { packageRoot } from '../../host/package-root.js';
import type { Group, PrepareContext, Prepared, Scenario } from '../scenario.js';
import { CliLab } from './commands/command-lab.js';
import { cliGroups, metricsOf } from './commands/metrics.js';
import { CliVariant } from './commands/variant.js';
import { type Task, taskNames, tasks, type Way } from './commands/ways.js';

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
  const leftOut = new Set<string>();
  const groups = chosen.map((task): Group => groupOf(task, lab, context.signal, leftOut));
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

function groupOf(task: Task, lab: CliLab, signal: AbortSignal, leftOut: Set<string>): Group {
  const isInstalled = ({ tool }: Way): boolean => tool === undefined || findTool(tool) !== undefined;
  for (const way of task.ways) {
    if (isInstalled(way)) continue;
    leftOut.add(`Left out: ${way.title}, since the program '${way.tool}' is not installed.`);
  }
  const make = ({ name, title, commands }: Way, role: CliVariant['role']): CliVariant => {
    const again = role === 'control';
    const texts = { name: again ? `${name} again` : name, title: again ? `${title} (again)` : title, role };
    return new CliVariant(texts, commands(lab.stand), { netns: lab.netns, env: lab.env, signal });
  };
  const variants = task.ways
    .filter(isInstalled)
    .flatMap((way, at) =>
      at === 0 ? [make(way, 'reference'), make(way, 'control')] : [make(way, 'variant')],
    );
  return { name: task.name, title: task.title, axis: null, metrics: metricsOf(task), variants };
}
