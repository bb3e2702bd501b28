/**
 * Pictures as SVG, by echarts: it lays out axes and their ticks, and places the marks that the charts beside this file
 * give it in the units of their data. Colours are CSS variables, so that one picture is right in light and dark.
 */
import type { CustomSeriesOption } from 'echarts/charts';
import { escaped, Html } from '../html/markup.js';
import { colour } from '../palette.js';
import { oneLine } from '../units.js';
import { fitted } from './ticks.js';

/** Pixels of a point of the data. */
export type Place = (x: number, y: number) => readonly [x: number, y: number];
export type Shape = ReturnType<NonNullable<CustomSeriesOption['renderItem']>>;

/** One thing in a picture, drawn in the order of the list. */
export interface Mark {
  readonly draw: (place: Place) => readonly Shape[];
  /** What a pointer that rests on it is told. */
  readonly tip?: string;
}

export interface AxisOption {
  /** What it counts, with its unit; absent for an axis that is not drawn. */
  readonly title?: string;
  readonly min: number;
  readonly max: number;
  /** Where it has ticks; absent where echarts may choose. */
  readonly ticks?: readonly number[];
  readonly label?: (value: number) => string;
  /** From the top down. */
  readonly inverse?: boolean;
}

/** A picture, in pixels of its own: it is shown as wide as there is room. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly margin: {
    readonly left: number;
    readonly right: number;
    readonly top: number;
    readonly bottom: number;
  };
  readonly x: AxisOption;
  readonly y: AxisOption;
  readonly marks: readonly Mark[];
}

/** Draws a picture. The same picture always gives the same text. */
export type Draw = (picture: Picture) => Html;

export const fontSize = 13;
const smallFont = 12;

/** Loads echarts, which takes some hundred milliseconds. */
export async function loadDrawing(): Promise<Draw> {
  const { init } = await import('./engine.js');
  return (picture) => {
    const { width, height } = picture;
    const chart = init(width, height);
    try {
      chart.setOption(optionOf(picture));
      return new Html(cleaned(chart.renderToSVGString(), picture));
    } finally {
      chart.dispose();
    }
  };
}

function optionOf({ width, height, margin, x, y, marks }: Picture): Record<string, unknown> {
  const custom: CustomSeriesOption = {
    type: 'custom',
    silent: true,
    animation: false,
    clip: false,
    encode: { x: -1, y: -1 },
    data: marks.map((_, index) => [index]),
    renderItem: (parameters, api) => {
      const place: Place = (atX, atY) => {
        const [left = 0, top = 0] = api.coord([atX, atY]);
        return [left, top];
      };
      const children = (marks[parameters.dataIndex]?.draw(place) ?? []).filter((shape) => shape != null);
      return { type: 'group', children };
    },
  };
  return {
    animation: false,
    textStyle: { fontSize, fontFamily: 'sans-serif' },
    grid: { ...margin, outerBoundsMode: 'none' },
    xAxis: axisOf(x, 'x', width - margin.left - margin.right),
    yAxis: axisOf(y, 'y', height - margin.top - margin.bottom),
    series: [custom],
  };
}

/** @param pixels its length */
function axisOf(axis: AxisOption, which: 'x' | 'y', pixels: number): Record<string, unknown> {
  const { title, min, max, ticks, label, inverse = false } = axis;
  const common = { type: 'value', silent: true, min, max, inverse };
  if (title === undefined) return { ...common, show: false };
  const custom = ticks === undefined ? {} : { customValues: [...ticks] };
  return {
    ...common,
    name: fitted(oneLine(title), pixels + 20, smallFont),
    nameLocation: 'middle',
    nameGap: which === 'x' ? 28 : 48,
    nameTextStyle: { color: colour('soft'), fontSize: smallFont },
    splitNumber: 5,
    axisLine: { show: which === 'x', onZero: false, lineStyle: { color: colour('rule') } },
    axisTick: { show: which === 'x', length: 4, lineStyle: { color: colour('rule') }, ...custom },
    axisLabel: {
      color: colour('soft'),
      fontSize: smallFont,
      hideOverlap: true,
      showMinLabel: true,
      showMaxLabel: ticks === undefined ? false : null,
      ...custom,
      ...(label === undefined ? {} : { formatter: (value: number) => label(value) }),
    },
    splitLine: { show: true, showMaxLine: false, lineStyle: { color: colour('grid') } },
  };
}

/** What echarts writes for its own scripts, of which a report has none, goes; what a pointer is told comes in. */
function cleaned(svg: string, { width, height, marks }: Picture): string {
  const body = svg
    .replace(/<style\b[^>]*>[\s\S]*?<\/style>/g, '')
    .replace(/<defs\s*>\s*<\/defs>/g, '')
    .replace(/^<svg\b[^>]*>\s*<rect\b[^>]*><\/rect>/, '')
    .replace(/<\/svg>\s*$/, '')
    .replace(/<(\w+)((?:\s[\w:-]+="[^"]*")*)\s*>/g, (_, tag: string, attributes: string) => {
      const index = /\secmeta_data_index="(\d+)"/.exec(attributes)?.[1];
      const tip = index === undefined ? undefined : marks[Number(index)]?.tip;
      const rest = attributes
        .replace(/\s(ecmeta_\w+|class|pointer-events|xml:space|paint-order)="[^"]*"/g, '')
        .replace(/\sstyle="([^"]*)"/g, (__, style: string) => fontOf(style))
        .replace(/-?\d+\.\d{2,}/g, (number) => String(Number(Number(number).toFixed(1))));
      return `<${tag}${rest}>${tip === undefined ? '' : `<title>${escaped(oneLine(tip))}</title>`}`;
    })
    .replace(/"><\/(path|rect|circle|line|polyline|polygon)>/g, '"/>')
    .replace(/\n+/g, '');
  return `<svg viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">${body}</svg>`;
}

/** The family is the page's. */
function fontOf(style: string): string {
  const size = /font-size:(\d+)px/.exec(style)?.[1];
  const weight = /font-weight:(\w+)/.exec(style)?.[1];
  return `${size === undefined || Number(size) === fontSize ? '' : ` font-size="${size}"`}${weight === undefined || weight === 'normal' ? '' : ` font-weight="${weight}"`}`;
}
