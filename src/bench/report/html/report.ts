/** A whole report: one file, which needs no network and no script. */
import { createHash } from 'node:crypto';
import type { BenchDocument } from '../../document.js';
import { barsChart } from '../charts/bars.js';
import { blocksChart } from '../charts/blocks.js';
import type { Chart } from '../charts/chart.js';
import { curvesChart } from '../charts/curves.js';
import { type Draw, loadDrawing } from '../charts/draw.js';
import { forestChart } from '../charts/forest.js';
import { percentilesChart } from '../charts/percentiles.js';
import { splitChart } from '../charts/split.js';
import { documentText } from '../json.js';
import { type GroupView, type MetricView, viewOf } from '../view.js';
import { figure } from './figure.js';
import { Html, html } from './markup.js';
import { environmentPart, headPart, summaryPart, validityPart } from './parts.js';
import { script, styleSheet } from './style.js';
import { resultsTable, samplesTable, splitTable } from './tables.js';

/** Metrics beyond these stand in the tables alone. */
const mostPictured = 6;
/** Browsers give up on longer links. */
const longestLink = 1_500_000;

/** The report as one HTML file. The same document always gives the same bytes. */
export async function htmlReport(given: BenchDocument): Promise<string> {
  const text = documentText(given);
  // As `bench render` reads it again.
  const document: BenchDocument = JSON.parse(text);
  const draw = await loadDrawing();
  const views = viewOf(document);
  const chapters: (readonly [string, string])[] = [
    ['summary', 'Summary'],
    ...views.map(({ group }, index) => [`group-${index + 1}`, group.title] as const),
    ['validity', 'Validity'],
    ['environment', 'Environment'],
    ['data', 'Data'],
  ];
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src '${scriptHash()}'; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="netkit ${document.netkit}">
<meta name="color-scheme" content="light dark">
<title>${document.title} – netkit bench ${document.scenario}</title>
<link rel="icon" href="data:,">
<style>${new Html(styleSheet())}</style>
</head>
<body>
${headPart(document, chapters)}<main>
${summaryPart(document)}${views.map((view, index) => groupPart(view, `group-${index + 1}`, draw))}${validityPart(document)}${environmentPart(document)}${dataPart(document, text)}</main>
<footer><p>Made by netkit ${document.netkit}. This file needs no network.</p></footer>
<script type="application/json" id="document">${embedded(text)}</script>
<script>${new Html(script)}</script>
</body>
</html>
`;
  return page.text;
}

function groupPart(view: GroupView, id: string, draw: Draw): Html {
  const { group, metrics, split } = view;
  const pictured = metrics.slice(0, mostPictured);
  const charts = [...pictured.flatMap((metric) => chartsOf(view, metric)), splitChart(split)].filter(
    (chart) => chart !== undefined,
  );
  const all = [...metrics, ...split];
  return html`<section id="${id}"><h2>${group.title}</h2>
${charts.map((chart) => figure(chart, draw))}
<div class="card"><h3>All numbers</h3>
${metrics.map((metric, index) => html`<h4>${metric.metric.title}</h4>${resultsTable(group, metric, index === 0)}`)}
${splitTable(split)}${split.map((metric) => html`<details><summary>${metric.metric.title}: ratios and verdicts</summary>${resultsTable(group, metric, false)}</details>`)}
${all.map(samplesTable)}
</div>
</section>
`;
}

function chartsOf({ group }: GroupView, metric: MetricView): Chart[] {
  const { isMain } = metric.metric;
  const main = group.axis === null ? barsChart(metric) : curvesChart(group, metric);
  const charts = [
    main,
    percentilesChart(group, metric),
    ...(isMain ? [forestChart(metric), blocksChart(metric)] : []),
  ];
  return charts.filter((chart) => chart !== undefined);
}

function dataPart({ scenario }: BenchDocument, text: string): Html {
  const encoded = Buffer.from(text).toString('base64');
  const name = `netkit-bench-${scenario.replace(/[^\w-]+/g, '-')}.json`;
  const isShort = encoded.length <= longestLink;
  const link = isShort
    ? html`<a class="download" download="${name}" href="data:application/json;base64,${encoded}">Download the document</a>`
    : html`<a class="download" download="${name}" href="#document" data-blob hidden>Download the document</a>`;
  return html`<section id="data"><h2>Data</h2>
<div class="card"><p>${link} (JSON, with every sample). It is inside this file too: <code>netkit bench render THIS.html --report out.json</code> takes it out, and makes CSV or Markdown of it.</p></div></section>
`;
}

/** JSON that no HTML can end: in a script only `<` matters. */
function embedded(text: string): Html {
  return new Html(
    text.trim().replaceAll('<', '\\u003c').replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029'),
  );
}

/** Only our own script may run, whatever a document holds. */
function scriptHash(): string {
  return `sha256-${createHash('sha256').update(script).digest('base64')}`;
}
