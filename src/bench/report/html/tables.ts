/** Every number of a metric: what it came to, and its samples. */
import type { BenchGroup } from '../../document.js';
import { titleWithUnit } from '../charts/bars.js';
import {
  countText,
  intervalText,
  middleScale,
  numberText,
  percentileText,
  ratioNumber,
  ratioText,
  scaled,
} from '../units.js';
import { type MetricView, partTitles, type Row, saidVerdict, titleOf, whyInvalid } from '../view.js';
import { verdictIcon } from './figure.js';
import { type Html, html, type Part } from './markup.js';

/** More than these make a page slow, and are in the document. */
const mostSamples = 6000;

const no = html`<td class="n">–</td>`;

/** A number in a column: the whole of it is told to a pointer that rests there. */
function number(value: number | null | undefined, say: (value: number) => string, below: Part = null): Html {
  if (value === null || value === undefined) return no;
  return html`<td class="n" title="${String(value)}">${say(value)}${below === null ? null : html`<small>${below}</small>`}</td>`;
}

function numberHead(title: string, ...below: string[]): Html {
  const lines = below.filter((line) => line !== '');
  return html`<th scope="col" class="n">${title}${lines.map((line) => html`<small>${line}</small>`)}</th>`;
}

/**
 * What a metric came to.
 * @param isFirst the first table of a group says what its variants are
 */
export function resultsTable(group: BenchGroup, view: MetricView, isFirst: boolean): Html {
  const { metric, rows, scale, band } = view;
  const hasRatio = rows.some(({ result }) => result?.ratio != null);
  const better =
    metric.better === 'neither' ? '' : `${metric.better === 'higher' ? 'More' : 'Less'} is better. `;
  return html`<div class="scroll"><table>
<thead><tr><th scope="col">Variant</th>${group.axis === null ? null : numberHead(group.axis.title, group.axis.unit === 'share' ? '' : group.axis.unit)}${numberHead('Median', scale.unit, '95 % interval')}${
    hasRatio ? [numberHead('Ratio', '95 % interval'), numberHead('Ratio', '99 % interval')] : null
  }<th scope="col">Verdict</th>${numberHead('Blocks')}${numberHead('Outliers')}</tr></thead>
<tbody>${rows.map((row) => resultRow(row, { group, view, hasRatio, isFirst }))}</tbody>
</table></div>
${percentilesTable(view)}
<p><small>${better}${
    band === undefined
      ? 'No noise band: the control was not measured often enough.'
      : `Noise band: ${ratioText(band[0])} to ${ratioText(band[1])}.`
  }</small></p>
`;
}

interface TableContext {
  readonly group: BenchGroup;
  readonly view: MetricView;
  readonly hasRatio: boolean;
  readonly isFirst: boolean;
}

function resultRow(row: Row, { group, view, hasRatio, isFirst }: TableContext): Html {
  const { variant, result, verdict } = row;
  const say = (value: number) => scaled(value, view.scale);
  const about = isFirst && variant.description !== '' ? html`<small>${variant.description}</small>` : null;
  const x = variant.x === null ? no : number(variant.x, (value) => axisText(value, group));
  const head = html`<th scope="row">${titleOf(variant)}${about}</th>${group.axis === null ? null : x}`;
  const said = html`<td><span class="verdict${verdict === 'invalid' ? ' bad' : ''}">${verdictIcon(verdict)}${saidVerdict(verdict, view.metric)}</span></td>`;
  if (verdict === 'invalid') {
    return html`<tr class="invalid">${head}<td colspan="${hasRatio ? 3 : 1}" class="bad">no result: ${whyInvalid(row)}</td>${said}${no}${no}</tr>
`;
  }
  const ratio = result?.ratio;
  const interval = result?.interval == null ? null : intervalText(result.interval, say);
  const ratios =
    ratio == null
      ? [no, no]
      : [
          number(ratio.median, ratioNumber, intervalText(ratio.interval, ratioNumber)),
          html`<td class="n"><small>${intervalText(ratio.wide, ratioNumber)}</small></td>`,
        ];
  return html`<tr${variant.role === 'reference' ? html` class="reference"` : null}>${head}${number(result?.median, say, interval)}${hasRatio ? ratios : null}${said}<td class="n">${result?.count ?? 0}</td><td class="n">${result?.outliers.length ?? 0}</td></tr>
`;
}

function axisText(x: number, { axis }: BenchGroup): string {
  return axis?.unit === 'share'
    ? `${numberText(x * 100)} %`
    : Number.isInteger(x)
      ? countText(x)
      : numberText(x);
}

/** The medians of several metrics side by side. */
export function splitTable(split: readonly MetricView[]): Html {
  const first = split[0];
  if (first === undefined) return html``;
  const titles = partTitles(split);
  return html`<h4>CPU time</h4>
<div class="scroll"><table><thead><tr><th scope="col">Variant</th>${split.map(({ scale }, index) => numberHead(titles[index] ?? '', scale.unit, '95 % interval'))}</tr></thead>
<tbody>${first.rows.map(
    ({ variant }, index) =>
      html`<tr${variant.role === 'reference' ? html` class="reference"` : null}><th scope="row">${titleOf(variant)}</th>${split.map(
        (view) => {
          const row = view.rows[index];
          const result = row?.verdict === 'invalid' ? undefined : row?.result;
          const say = (value: number) => scaled(value, view.scale);
          return number(
            result?.median,
            say,
            result?.interval == null ? null : intervalText(result.interval, say),
          );
        },
      )}</tr>
`,
  )}</tbody></table></div>
`;
}

function percentilesTable({ rows, metric }: MetricView): Html | null {
  const shown = rows.filter(
    ({ verdict, result }) => verdict !== 'invalid' && (result?.percentiles.length ?? 0) > 0,
  );
  const all = shown.flatMap(({ result }) => result?.percentiles ?? []);
  if (all.length === 0) return null;
  const scale = middleScale(
    metric.unit,
    all.map(({ value }) => value),
  );
  const columns = [...new Set(all.map(({ percentile }) => percentile))].sort((one, other) => one - other);
  return html`<h4>${titleWithUnit(`Percentiles of ${metric.title.toLowerCase()}`, scale.unit)}</h4>
<div class="scroll"><table><thead><tr><th scope="col">Variant</th>${numberHead('Values')}${columns.map((percentile) => numberHead(`${percentileText(percentile)} %`))}</tr></thead>
<tbody>${shown.map(({ variant, result }) => {
    const counts = variant.histograms
      .filter((histogram) => histogram.metric === metric.name)
      .flatMap(({ buckets }) => buckets.map(([, , count]) => count));
    const values = columns.map((percentile) =>
      result?.percentiles.find((each) => each.percentile === percentile),
    );
    return html`<tr><th scope="row">${titleOf(variant)}</th><td class="n">${countText(counts.reduce((sum, count) => sum + count, 0))}</td>${values.map(
      (found) => number(found?.value, (value) => scaled(value, scale)),
    )}</tr>
`;
  })}</tbody></table></div>`;
}

/** Blocks down, variants across. */
export function samplesTable(view: MetricView): Html {
  const { metric, rows, scale } = view;
  const columns = rows.filter(({ variant }) => variant.samples.length > 0);
  const count = columns.reduce((sum, { variant }) => sum + variant.samples.length, 0);
  const title = titleWithUnit(metric.title, scale.unit);
  if (count === 0) return html``;
  if (count > mostSamples) {
    return html`<p><small>${title}: all ${countText(count)} samples are in the document, which is inside this file.</small></p>`;
  }
  const numbers = columns.flatMap(({ variant }) => variant.samples.map(({ block }) => block));
  const blocks = [...new Set(numbers)].sort((one, other) => one - other);
  return html`<details><summary>${title}: all ${countText(count)} samples</summary>
<div class="scroll"><table class="samples"><thead><tr>${numberHead('Block')}${columns.map(({ variant }) => numberHead(titleOf(variant)))}</tr></thead>
<tbody>${blocks.map(
    (
      block,
    ) => html`<tr><th scope="row" class="n">${block}</th>${columns.map((row) => sampleCell(row, block, view))}</tr>
`,
  )}</tbody></table></div>
<p><small>Underlined: an outlier, which counts. Struck through: something did not hold, and it does not count.</small></p></details>
`;
}

function sampleCell({ variant, result, verdict }: Row, block: number, { metric, scale }: MetricView): Html {
  const samples = variant.samples.filter((sample) => sample.block === block);
  if (samples.length === 0) return no;
  const wrong = samples.flatMap(({ checks }) => checks.filter(({ ok }) => !ok));
  const classes = [
    'n',
    ...(result?.outliers.includes(block) === true ? ['outlier'] : []),
    ...(verdict === 'invalid' || wrong.length > 0 ? ['wrong'] : []),
  ];
  const values = samples.map(({ values: all }) => all[metric.name]);
  const why = wrong.map(({ name, detail }) => `${name}: ${detail}`).join('; ');
  const exact = values.map((value) => value ?? 'no value').join(', ');
  const said = values.map((value) => (value === undefined ? '–' : scaled(value, scale))).join(' ');
  return html`<td class="${classes.join(' ')}" title="${why === '' ? exact : `${exact} (${why})`}">${said}</td>`;
}
