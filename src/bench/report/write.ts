/** Reports by the ending of the file that they go to. */
import { extname } from 'node:path';
import { NetkitError } from '../../base/errors.js';
import type { BenchDocument } from '../document.js';

export type ReportFormat = 'html' | 'json' | 'csv' | 'markdown';

const formats: Readonly<Record<string, ReportFormat>> = {
  '.html': 'html',
  '.htm': 'html',
  '.json': 'json',
  '.csv': 'csv',
  '.md': 'markdown',
  '.markdown': 'markdown',
};

/** @throws NetkitError `usage` for an ending that is none of ours */
export function reportFormat(path: string): ReportFormat {
  const format = formats[extname(path).toLowerCase()];
  if (format !== undefined) return format;
  throw new NetkitError('usage', `--report ${path}: its ending does not tell what to write`, {
    hint: 'use .html, .json, .csv or .md',
    details: { path },
  });
}

/** The same document gives the same bytes, whether it comes from a run or from a file. */
export async function renderReport(document: BenchDocument, format: ReportFormat): Promise<string> {
  switch (format) {
    case 'html':
      return (await import('./html/report.js')).htmlReport(document);
    case 'json':
      return (await import('./json.js')).documentText(document);
    case 'csv':
      return (await import('./csv.js')).csvReport(document);
    case 'markdown':
      return (await import('./markdown.js')).markdownReport(document);
  }
}
