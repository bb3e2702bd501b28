import { join } from 'node:path';
import { NetkitError } from '../../base/errors.js';
import { Scope } from '../../base/scope.js';
import { functionFolder } from '../../cnf/layout.js';
import { openProgram } from '../../cnf/reference.js';
import type { Program } from '../../ebpf/program.js';
import { streamLines } from '../../ebpf/program-streams.js';
import { traceLines } from '../../ebpf/trace-pipe.js';
import { namesIn } from '../../host/folders.js';
import { lostEvents, parseTraceLine, printkEvent } from '../../obj/trace-line.js';
import type { Command, CommandContext } from '../context.js';
import { openReference } from '../open-reference.js';
import { type Page, tone } from '../page.js';
import type { DocumentOf } from '../schema/index.js';
import type { Options } from '../table/index.js';

type Line = DocumentOf<'trace'>;

export const run: Command<'trace'> = async (context, { reference }, options) => {
  const signals = [context.signal];
  if (options.for !== undefined) signals.push(AbortSignal.timeout(options.for * 1000));
  const signal = AbortSignal.any(signals);
  using scope = new Scope();
  const lines =
    reference === undefined
      ? pipeLines(options, signal)
      : programLines(await programsOf(context, reference, options, scope), signal);
  if (reference === undefined) context.output.remark('waiting for what programs write with bpf_printk()');
  let left = options.count ?? Number.POSITIVE_INFINITY;
  for await (const line of lines) {
    if (line.source !== 'lost' && options.match !== undefined && line.text?.includes(options.match) !== true)
      continue;
    context.output.record(line, (page) => fill(page, line));
    await context.output.flush();
    if (line.source !== 'lost') left -= 1;
    if (left === 0 || signal.aborted) break;
  }
  // As for every command that Ctrl-C ends.
  return context.signal.aborted ? 130 : 0;
};

const nothing: Omit<Line, 'source'> = {
  text: null,
  task: null,
  pid: null,
  cpu: null,
  seconds: null,
  event: null,
  program: null,
  lost: null,
};

async function* pipeLines({ task, events }: Options<'trace'>, signal: AbortSignal): AsyncGenerator<Line> {
  // The further lines of a message belong to its first.
  let before: Line | undefined;
  for await (const written of traceLines(signal)) {
    const lost = lostEvents(written);
    const parsed = parseTraceLine(written);
    if (lost !== undefined) {
      yield { ...nothing, source: 'lost', lost };
    } else if (parsed === undefined) {
      if (before !== undefined && written !== '') yield { ...before, text: written };
    } else {
      const isWanted =
        (events || parsed.event === printkEvent) &&
        (task === undefined || task === parsed.task || task === String(parsed.pid));
      before = isWanted ? { ...nothing, source: 'pipe', ...parsed } : undefined;
      if (before !== undefined) yield before;
    }
  }
}

async function* programLines(programs: readonly Program[], signal: AbortSignal): AsyncGenerator<Line> {
  const names = new Map(programs.map((program) => [program, program.info()]));
  for await (const { program, stream, text } of streamLines(programs, signal)) {
    const { id = 0, name = '' } = names.get(program) ?? {};
    yield { ...nothing, source: stream, text, program: { id, name } };
  }
}

async function programsOf(
  context: CommandContext<'trace'>,
  reference: string,
  { task, events }: Options<'trace'>,
  scope: Scope,
): Promise<Program[]> {
  if (task !== undefined || events) {
    throw new NetkitError('usage', '--task and --events are about the trace pipe, not about streams', {
      hint: 'leave the program away to read the pipe',
    });
  }
  return openReference(context, reference, (text, bpffs) => {
    const isFunction = !/[/:]/.test(text);
    const pins = isFunction ? namesIn(join(functionFolder(bpffs, text), 'progs')) : [];
    const references = pins.length > 1 ? pins.map((name) => `${text}/${name}`) : [text];
    return references.map((each) => scope.use(openProgram(each, bpffs)));
  });
}

function fill(page: Page, { source, text, task, pid, cpu, seconds, program, lost }: Line): void {
  if (source === 'lost') page.line(tone('warning', `${lost} lines lost`));
  else if (program !== null) page.line(tone('dim', `${program.name} ${source}: `), text);
  else page.line(tone('dim', `${seconds?.toFixed(6)} [${cpu}] ${task}-${pid}: `), text);
}
