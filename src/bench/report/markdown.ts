/** For a README or a pull request: the summary, a table for each metric, what does not hold, and how it was measured. */
import type { BenchDocument } from '../document.js';
import { timeText } from './html/parts.js';
import {
  counted,
  countText,
  durationText,
  intervalText,
  numberText,
  oneLine,
  ratioText,
  scaled,
} from './units.js';
import {
  invalidVariants,
  type MetricView,
  partTitles,
  type Row,
  saidVerdict,
  titleOf,
  viewOf,
} from './view.js';

/** Letters of the longest bar. */
const barLength = 12;

export function markdownReport(document: BenchDocument): string {
  const { kernel, machine } = document.environment;
  const invalid = invalidVariants(document);
  const parts = [
    `## ${plain(document.title)}`,
    document.summary.map((sentence) => `* ${plain(sentence)}`).join('\n'),
    ...viewOf(document).flatMap(({ group, metrics, split }) => [
      `### ${plain(group.title)}`,
      ...metrics.map((view) => metricTable(view, group.axis)),
      splitTable(split),
    ]),
    invalid.length === 0
      ? ''
      : `**No result** for ${invalid.map(({ variant, why }) => `${plain(titleOf(variant))} (${plain(why)})`).join('; ')}.`,
    document.ended === 'interrupted' ? '**Interrupted**: this is what was measured until then.' : '',
    document.notes.map((note) => `> ${plain(note)}`).join('\n>\n'),
    `<sub>${[
      `netkit ${document.netkit}`,
      timeText(document.started),
      durationText(document.seconds),
      `Linux ${kernel.release}`,
      `${machine.cpu}, ${counted(machine.cpus, 'CPU')}${machine.isVirtual === true ? ', virtual' : ''}`,
      `seed ${document.seed}`,
    ]
      .map(plain)
      .join(' · ')}</sub>`,
    code(document.command),
  ];
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

function metricTable(view: MetricView, axis: BenchDocument['groups'][number]['axis']): string {
  const { metric, rows, scale, band } = view;
  const valid = rows.flatMap(({ result, verdict }) => (verdict === 'invalid' ? [] : (result?.median ?? [])));
  const most = Math.max(0, ...valid);
  const hasRatio = rows.some(({ result }) => result?.ratio != null);
  const unit = scale.unit === '' ? '' : ` (${plain(scale.unit)})`;
  const head = [
    plain(metric.title),
    ...(axis === null ? [] : [plain(axis.title)]),
    `median${unit}`,
    '95 % interval',
    ...(hasRatio ? ['to the reference', '99 % interval'] : []),
    'verdict',
    ...(axis === null ? [''] : []),
  ];
  const right = new Set(head.slice(1, -1 - (axis === null ? 1 : 0)));
  const lines = [
    row(head),
    `|${head.map((name) => (right.has(name) ? '--:' : '---')).join('|')}|`,
    ...rows.map((each) => row(cells(each))),
  ];
  const better =
    metric.better === 'neither' ? '' : `${metric.better === 'higher' ? 'More' : 'Less'} is better. `;
  const noise = band === undefined ? '' : `Noise: ${ratioText(band[0])} to ${ratioText(band[1])}.`;
  return `${lines.join('\n')}\n\n${`${better}${noise}`.trim()}`.trim();

  function cells({ variant, result, verdict }: Row): string[] {
    const say = (value: number) => scaled(value, scale);
    const isInvalid = verdict === 'invalid';
    const median = isInvalid ? null : (result?.median ?? null);
    const interval = isInvalid ? null : (result?.interval ?? null);
    const ratio = isInvalid ? null : (result?.ratio ?? null);
    const title = plain(titleOf(variant));
    return [
      variant.role === 'reference' ? `**${title}**` : title,
      ...(axis === null ? [] : [variant.x === null ? '–' : countOrNumber(variant.x, axis.unit)]),
      median === null ? '–' : say(median),
      interval === null ? '–' : intervalText(interval, say),
      ...(hasRatio
        ? [
            ratio === null ? '–' : ratioText(ratio.median),
            ratio === null ? '–' : intervalText(ratio.wide, numberText),
          ]
        : []),
      isInvalid ? '**invalid**' : saidVerdict(verdict, metric),
      ...(axis === null
        ? [median === null || median === 0 || most <= 0 ? '' : `\`${bar(median / most)}\``]
        : []),
    ];
  }
}

function countOrNumber(x: number, unit: string): string {
  if (unit === 'share') return `${numberText(x * 100)} %`;
  return Number.isInteger(x) ? countText(x) : numberText(x);
}

function splitTable(split: readonly MetricView[]): string {
  const first = split[0];
  if (first === undefined) return '';
  const titles = partTitles(split);
  const head = [
    'CPU time',
    ...split.map(
      ({ scale }, index) =>
        `${plain(titles[index] ?? '')}${scale.unit === '' ? '' : ` (${plain(scale.unit)})`}`,
    ),
  ];
  const lines = first.rows.map(({ variant }, index) =>
    row([
      plain(titleOf(variant)),
      ...split.map(({ rows, scale }) => {
        const each = rows[index];
        const median = each?.verdict === 'invalid' ? undefined : each?.result?.median;
        return median == null ? '–' : scaled(median, scale);
      }),
    ]),
  );
  return [row(head), `|${head.map((_, index) => (index === 0 ? '---' : '--:')).join('|')}|`, ...lines].join(
    '\n',
  );
}

function bar(share: number): string {
  return '█'.repeat(Math.max(share > 0 ? 1 : 0, Math.round(Math.max(0, Math.min(1, share)) * barLength)));
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

const written: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '|': '&#124;',
  '@': '&#64;',
};

/** Text that is neither markup, nor HTML, nor a link, nor a mention of somebody. */
export function plain(text: string): string {
  return oneLine(text)
    .replace(/[&<>|@\\`*_[\]#~!$]/g, (sign) => written[sign] ?? `\\${sign}`)
    .replaceAll('://', ':&#47;&#47;');
}

/** A block that nothing in it can end. */
function code(text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}sh\n${text}\n${fence}`;
}
