import { fillBenchPage } from '../bench-page.js';
import { checkReports, readReport, writeReports } from '../bench-reports.js';
import type { Command } from '../context.js';

export const run: Command<'bench render'> = async ({ output, signal }, { file }, { report }) => {
  checkReports(report);
  const document = await readReport(file, signal);
  if (report.length === 0) {
    output.result(document, (page) => fillBenchPage(page, document));
    return;
  }
  await output.progress('drawing', () => writeReports(document, report, signal));
  output.done(document, (page) => {
    for (const path of report) page.line(`wrote ${path}`);
  });
};
