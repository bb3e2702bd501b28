import { NetkitError } from '../../base/errors.js';
import { ChangeSession } from '../../cnf/session.js';
import { countCommands } from '../batch/lines.js';
import { precheck } from '../batch/precheck.js';
import { Report } from '../batch/report.js';
import { BatchRun } from '../batch/run.js';
import { openSource } from '../batch/source.js';
import type { Command } from '../context.js';
import { environmentOf } from '../environment.js';

type Chunks = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

export const run: Command<'batch'> = async (context, { file }, { atomic, continue: goesOn }) => {
  const { io, options, output, signal } = context;
  const source = await openSource(file, io, signal);
  if (source.isTerminal) output.note('reading commands from the terminal, one a line; Ctrl-D ends');
  const report = new Report(io, options, source.name, goesOn);
  const checked = atomic ? await precheck(context, source.chunks, report) : undefined;
  if (!report.isStopped) {
    const isAtomic = atomic && !options.dryRun;
    using session = new ChangeSession({ ...environmentOf(context), atomic: isAtomic });
    if (isAtomic && checked?.changes === true) await report.guard(() => session.enter());
    if (!report.isStopped)
      await attempt(
        new BatchRun(context, session, report, source.isStdin),
        report,
        checked?.chunks ?? source.chunks,
      );
    if (isAtomic && !report.isStopped && signal.aborted)
      report.broke(new NetkitError('interrupted', 'interrupted'));
    if (!report.isStopped) await report.guard(async () => session.commit());
    if (report.isStopped) report.undo(isAtomic, (reason) => session.rollback(reason));
    else session.finish();
  }
  const whole =
    checked?.chunks ??
    (source.isFile && file !== undefined ? (await openSource(file, io)).chunks : undefined);
  const total = report.isStopped && whole !== undefined ? await countCommands(whole) : undefined;
  const failure = report.failure(total);
  if (failure !== undefined) throw failure;
  if (!options.json) output.note(report.summary());
};

/** The maps that it opened are closed before anything is taken back. */
async function attempt(run: BatchRun, report: Report, chunks: Chunks): Promise<void> {
  using batch = run;
  report.begin();
  await report.guard(() => batch.all(chunks));
}
