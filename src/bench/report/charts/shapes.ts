/** Marks of which charts are made: bars, intervals, points, curves, words. */
import { type Colour, colour, type MarkShape } from '../palette.js';
import type { Shape } from './draw.js';

type Point = readonly [x: number, y: number];

export function rect(
  [x0, y0]: Point,
  [x1, y1]: Point,
  {
    fill,
    stroke,
    opacity = 1,
    dash,
    radius = 0,
  }: {
    fill?: Colour;
    stroke?: Colour;
    opacity?: number;
    dash?: readonly number[];
    radius?: number;
  },
): Shape {
  const [x, y] = [Math.min(x0, x1), Math.min(y0, y1)];
  return {
    type: 'rect',
    shape: { x, y, width: Math.abs(x1 - x0), height: Math.abs(y1 - y0), r: radius },
    style: {
      fill: fill ?? 'none',
      ...(stroke === undefined ? {} : { stroke, lineWidth: 1 }),
      ...(dash === undefined ? {} : { lineDash: [...dash] }),
      opacity,
    },
  };
}

export function line(
  points: readonly Point[],
  stroke: Colour,
  { width = 1, dash = [], opacity = 1 }: { width?: number; dash?: readonly number[]; opacity?: number } = {},
): Shape {
  return {
    type: 'polyline',
    shape: { points: points.map(([x, y]) => [x, y]) },
    style: {
      fill: 'none',
      stroke,
      lineWidth: width,
      opacity,
      lineJoin: 'round',
      ...(dash.length === 0 ? {} : { lineDash: [...dash] }),
    },
  };
}

/** A point of some `size` pixels across. */
export function mark(
  shape: MarkShape,
  [x, y]: Point,
  size: number,
  fill: Colour,
  { opacity = 1 }: { opacity?: number } = {},
): Shape {
  const r = size / 2;
  const style = { fill, opacity };
  const polygon = (...corners: readonly Point[]): Shape => ({
    type: 'polygon',
    shape: { points: corners.map(([dx, dy]) => [x + dx * r, y + dy * r]) },
    style,
  });
  switch (shape) {
    case 'circle':
      return { type: 'circle', shape: { cx: x, cy: y, r }, style };
    case 'square':
      return polygon([-0.9, -0.9], [0.9, -0.9], [0.9, 0.9], [-0.9, 0.9]);
    case 'triangle':
      return polygon([0, -1.1], [1.1, 0.8], [-1.1, 0.8]);
    case 'down':
      return polygon([0, 1.1], [1.1, -0.8], [-1.1, -0.8]);
    case 'diamond':
      return polygon([0, -1.25], [1.25, 0], [0, 1.25], [-1.25, 0]);
    case 'cross': {
      const [long, thin] = [1.2, 0.35];
      return polygon(
        [-thin, -long],
        [thin, -long],
        [thin, -thin],
        [long, -thin],
        [long, thin],
        [thin, thin],
        [thin, long],
        [-thin, long],
        [-thin, thin],
        [-long, thin],
        [-long, -thin],
        [-thin, -thin],
      );
    }
  }
}

/** A circle around a point. */
export function ring([x, y]: Point, r: number): Shape {
  return {
    type: 'circle',
    shape: { cx: x, cy: y, r },
    style: { fill: 'none', stroke: colour('ink'), lineWidth: 1.4 },
  };
}

/** What is not there: ✕. */
export function missing([x, y]: Point, size: number): readonly Shape[] {
  const r = size / 2;
  const stroke = colour('bad');
  return [
    line(
      [
        [x - r, y - r],
        [x + r, y + r],
      ],
      stroke,
      { width: 1.8 },
    ),
    line(
      [
        [x - r, y + r],
        [x + r, y - r],
      ],
      stroke,
      { width: 1.8 },
    ),
  ];
}

export function words(
  text: string,
  [x, y]: Point,
  {
    align = 'left',
    fill = colour('ink'),
    size = 13,
    bold = false,
    middle = true,
  }: {
    align?: 'left' | 'center' | 'right';
    fill?: Colour;
    size?: number;
    bold?: boolean;
    middle?: boolean;
  } = {},
): Shape {
  return {
    type: 'text',
    x,
    y,
    style: {
      text,
      fill,
      align,
      verticalAlign: middle ? 'middle' : 'top',
      fontSize: size,
      fontWeight: bold ? 'bold' : 'normal',
      fontFamily: 'sans-serif',
    },
  };
}

/** A line with ends across it, as for an interval. */
export function whisker(
  from: Point,
  to: Point,
  cap: number,
  stroke: Colour,
  width: number,
): readonly Shape[] {
  return [
    line([from, to], stroke, { width }),
    line(
      [
        [from[0], from[1] - cap],
        [from[0], from[1] + cap],
      ],
      stroke,
      { width },
    ),
    line(
      [
        [to[0], to[1] - cap],
        [to[0], to[1] + cap],
      ],
      stroke,
      { width },
    ),
  ];
}
