/** A chart as a figure: heading, legend, the pictures for both sizes, and how it is read. */
import { type Chart, columnsOf, type LegendEntry } from '../charts/chart.js';
import type { Draw, Picture } from '../charts/draw.js';
import { type Colour, colour, type MarkShape } from '../palette.js';
import { Html, html } from './markup.js';

export function figure({ title, caption, legend, description, pictures }: Chart, draw: Draw): Html {
  const both = pictures.map(
    ({ title: heading, picture }) => html`<div>${heading === undefined ? null : html`<h4>${heading}</h4>`}
<div class="picture wide" role="img" aria-label="${description}">${draw(picture('wide'))}</div>
<div class="picture narrow" role="img" aria-label="${description}">${draw(untold(picture('narrow')))}</div></div>`,
  );
  return html`<figure class="card">
<h3>${title}</h3>
${legend.length === 0 ? null : html`<ul class="legend">${legend.map(legendEntry)}</ul>`}
<div class="pictures columns-${columnsOf(pictures.length)}">${both}</div>
<figcaption>${caption}</figcaption>
</figure>
`;
}

/** Where there is no pointer, nothing can rest on a mark. */
function untold(picture: Picture): Picture {
  return { ...picture, marks: picture.marks.map(({ draw }) => ({ draw })) };
}

function legendEntry({ text, look }: LegendEntry): Html {
  return html`<li>${swatch(look)}${text}</li>`;
}

function swatch(look: LegendEntry['look']): Html {
  if (look === 'missing') return icon(cross(14, 7, 4, colour('bad')));
  if (look === 'points') return icon(circles(colour('soft')));
  if (look === 'outlier')
    return icon(
      html`<circle cx="14" cy="7" r="4.5" fill="none" stroke="${colour('ink')}" stroke-width="1.5"/><circle cx="14" cy="7" r="1.7" fill="${colour('even')}"/>`,
    );
  if (look === 'interval')
    return icon(
      html`<path d="M5 7H23M5 3V11M23 3V11" stroke="${colour('ink')}" stroke-width="1.6" fill="none"/>`,
    );
  if (look === 'band') return icon(html`<rect x="2" y="0" width="24" height="14" fill="${colour('band')}"/>`);
  if ('bar' in look) {
    return look.hollow === true
      ? icon(
          html`<rect x="2.5" y="1.5" width="23" height="11" fill="none" stroke="${look.bar}" stroke-dasharray="3 3"/>`,
        )
      : icon(html`<rect x="2" y="1" width="24" height="12" fill="${look.bar}"/>`);
  }
  const { colour: stroke, dash, mark } = look.curve;
  return icon(
    html`<path d="M0 7H28" stroke="${stroke}" stroke-width="2" fill="none" stroke-dasharray="${dash.join(' ')}"/>${symbol(mark, 14, 7, 4.5, stroke)}`,
  );
}

function icon(content: Html): Html {
  return html`<svg width="28" height="14" viewBox="0 0 28 14" aria-hidden="true">${content}</svg>`;
}

function circles(fill: Colour): Html {
  return html`${[6, 14, 22].map((x, index) => html`<circle cx="${x}" cy="${[5, 9, 6][index]}" r="1.8" fill="${fill}"/>`)}`;
}

function cross(x: number, y: number, r: number, stroke: Colour): Html {
  return html`<path d="M${x - r} ${y - r}L${x + r} ${y + r}M${x - r} ${y + r}L${x + r} ${y - r}" stroke="${stroke}" stroke-width="1.8" fill="none"/>`;
}

const outlines: Readonly<Record<Exclude<MarkShape, 'circle'>, readonly (readonly [number, number])[]>> = {
  square: [
    [-0.9, -0.9],
    [0.9, -0.9],
    [0.9, 0.9],
    [-0.9, 0.9],
  ],
  triangle: [
    [0, -1.1],
    [1.1, 0.8],
    [-1.1, 0.8],
  ],
  down: [
    [0, 1.1],
    [1.1, -0.8],
    [-1.1, -0.8],
  ],
  diamond: [
    [0, -1.25],
    [1.25, 0],
    [0, 1.25],
    [-1.25, 0],
  ],
  cross: [
    [-0.35, -1.2],
    [0.35, -1.2],
    [0.35, -0.35],
    [1.2, -0.35],
    [1.2, 0.35],
    [0.35, 0.35],
    [0.35, 1.2],
    [-0.35, 1.2],
    [-0.35, 0.35],
    [-1.2, 0.35],
    [-1.2, -0.35],
    [-0.35, -0.35],
  ],
};

/** A small mark, such as those of curves and of verdicts. */
export function symbol(shape: MarkShape, x: number, y: number, r: number, fill: Colour): Html {
  if (shape === 'circle') return html`<circle cx="${x}" cy="${y}" r="${r}" fill="${fill}"/>`;
  const points = outlines[shape].map(([dx, dy]) => `${(x + dx * r).toFixed(1)},${(y + dy * r).toFixed(1)}`);
  return html`<polygon points="${points.join(' ')}" fill="${fill}"/>`;
}

/** Verdicts have a shape each, so that they need no colour. */
export function verdictIcon(verdict: string): Html {
  const draw = (shape: MarkShape, name: string) =>
    html`<svg width="11" height="11" viewBox="0 0 11 11" aria-hidden="true">${symbol(shape, 5.5, 5.5, 4.4, colour(name))}</svg>`;
  switch (verdict) {
    case 'faster':
      return draw('triangle', 'faster');
    case 'slower':
      return draw('down', 'slower');
    case 'invalid':
      return html`<svg width="11" height="11" viewBox="0 0 11 11" aria-hidden="true">${cross(5.5, 5.5, 3.6, colour('bad'))}</svg>`;
    case 'reference':
      return draw('diamond', 'even');
    case 'within noise':
      return draw('circle', 'even');
    default:
      return new Html('');
  }
}
