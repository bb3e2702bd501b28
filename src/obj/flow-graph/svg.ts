/** Control flow as a picture that needs no tools: SVG, which follows the reader's choice of light or dark. */
import type { Box, FunctionGraph } from './function-graph.js';
import { type Layers, layered, type Route } from './layers.js';
import { type Extent, type Placed, placed } from './place.js';

const margin = 24;
const titleHeight = 28;
/** Between two functions. */
const functionGap = 48;
const font = { size: 12, width: 7.23, line: 16 } as const;
const padding = 8;
/** Characters: two edges that leave have room for a word between them. */
const smallestBox = 22;

const style = `
  svg { color-scheme: light dark; --back: #ffffff; --box: #f6f8fa; --line: #8c959f; --text: #1f2328; --dim: #57606a;
        --taken: #1a7f37; --else: #cf222e; --next: #57606a; }
  @media (prefers-color-scheme: dark) {
    svg { --back: #0d1117; --box: #161b22; --line: #6e7681; --text: #e6edf3; --dim: #8b949e;
          --taken: #3fb950; --else: #f85149; --next: #8b949e; }
  }
  .back { fill: var(--back); }
  .box { fill: var(--box); stroke: var(--line); }
  text { font: ${font.size}px ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace; fill: var(--text); white-space: pre; }
  .title { font-weight: bold; font-size: 14px; }
  .source { fill: var(--dim); }
  .edge { fill: none; stroke-width: 1.4; }
  .taken { stroke: var(--taken); } .else { stroke: var(--else); } .next { stroke: var(--next); }
  .back-edge { stroke-dasharray: 5 3; }
  .head-taken { fill: var(--taken); } .head-else { fill: var(--else); } .head-next { fill: var(--next); }
  .label { font-size: 10px; fill: var(--dim); }`;

/** One picture with the functions below each other. Lines back to where the code came from are dashed. */
export function svgText(title: string, functions: readonly FunctionGraph[]): string {
  const parts: string[] = [];
  let top = margin;
  let width = 0;
  for (const graph of functions) {
    const drawn = drawFunction(graph, margin, top + titleHeight);
    parts.push(
      `<text class="title" x="${margin}" y="${top + 14}">${escaped(graph.title)}</text>`,
      drawn.text,
    );
    const titleWidth = graph.title.length * font.width * (14 / font.size);
    width = Math.max(width, drawn.width, titleWidth);
    top += titleHeight + drawn.height + functionGap;
  }
  const size = { width: Math.ceil(width + 2 * margin), height: Math.ceil(top - functionGap + margin) };
  const heads = ['taken', 'else', 'next'].map(
    (kind) =>
      `<marker id="head-${kind}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" markerUnits="userSpaceOnUse" orient="auto-start-reverse"><path class="head-${kind}" d="M0 0L8 4L0 8Z"/></marker>`,
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size.width} ${size.height}" width="${size.width}" height="${size.height}">`,
    `<title>${escaped(title)}</title>`,
    `<style>${style}\n</style>`,
    `<defs>${heads.join('')}</defs>`,
    `<rect class="back" width="${size.width}" height="${size.height}"/>`,
    ...parts,
    '</svg>',
    '',
  ].join('\n');
}

function drawFunction(
  { boxes }: FunctionGraph,
  left: number,
  top: number,
): { text: string; width: number; height: number } {
  const layers = layered(boxes.map(({ edges }) => edges));
  const extents = layers.nodes.map(({ box }) => extentOf(box === undefined ? undefined : boxes[box]));
  const places = placed(layers, extents);
  const canvas = new Canvas(layers, extents, places, left, top);
  const edges = layers.routes.map((route) => canvas.route(route));
  const loops = layers.loops.map((node) => canvas.loop(node));
  const drawn = boxes.map((box, index) => canvas.box(box, index));
  return { text: [...edges, ...loops, ...drawn].join('\n'), width: places.width + 16, height: places.height };
}

function extentOf(box: Box | undefined): Extent {
  if (box === undefined) return { width: 8, height: 0 };
  const longest = Math.max(smallestBox, ...box.lines.map(({ text }) => text.length));
  return { width: longest * font.width + 2 * padding, height: box.lines.length * font.line + 2 * padding };
}

/** The next node of a line that meets a box. */
interface End {
  readonly other: number;
  readonly back: boolean;
}

class Canvas {
  readonly #layers: Layers;
  readonly #extents: readonly Extent[];
  readonly #places: Placed;
  readonly #left: number;
  readonly #top: number;
  /** Lines from node to node: edges that share a way draw it once. */
  readonly #drawn = new Set<string>();
  /** Of each row. */
  readonly #heights: readonly number[];
  readonly #above: ReadonlyMap<number, readonly End[]>;
  readonly #below: ReadonlyMap<number, readonly End[]>;

  constructor(layers: Layers, extents: readonly Extent[], places: Placed, left: number, top: number) {
    this.#layers = layers;
    this.#extents = extents;
    this.#places = places;
    this.#left = left;
    this.#top = top;
    this.#heights = layers.rows.map((row) => Math.max(0, ...row.map((each) => this.#extent(each).height)));
    this.#above = this.#ends(false);
    this.#below = this.#ends(true);
  }

  box(box: Box, node: number): string {
    const { width, height } = this.#extent(node);
    const [x, y] = [this.#x(node) - width / 2, this.#y(node)];
    const lines = box.lines.map(
      ({ text, kind }, index) =>
        `<text${kind === 'source' ? ' class="source"' : ''} x="${round(x + padding)}" y="${round(y + padding + index * font.line + font.size)}">${escaped(text)}</text>`,
    );
    return `<g><rect class="box" rx="4" x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${round(height)}"/>${lines.join('')}</g>`;
  }

  route({ kind, nodes, reversed }: Route): string {
    const [first, last] = this.#undrawn(kind, nodes, reversed);
    const part = nodes.slice(first, last + 1);
    const points = part.flatMap((node, index) => this.#through(node, first + index, nodes, reversed));
    const path = points.map(([x, y], index) => {
      const before = points[index - 1];
      if (before === undefined) return `M${round(x)} ${round(y)}`;
      const bend = (y - before[1]) / 2;
      return `C${round(before[0])} ${round(before[1] + bend)} ${round(x)} ${round(y - bend)} ${round(x)} ${round(y)}`;
    });
    const isWhole = reversed ? first === 0 : last === nodes.length - 1;
    const marker = isWhole ? ` marker-${reversed ? 'start' : 'end'}="url(#head-${kind})"` : '';
    const edge = `<path class="edge ${kind}${reversed ? ' back-edge' : ''}" d="${path.join('')}"${marker}/>`;
    const source = reversed ? points.at(-1) : points[0];
    if (kind === 'next' || source === undefined) return edge;
    // Edges bend outwards, so the words stand inside.
    const inward = source[0] > this.#x(nodes[reversed ? nodes.length - 1 : 0] ?? 0) ? -5 : 5;
    const anchor = inward < 0 ? ' text-anchor="end"' : '';
    const at = `x="${round(source[0] + inward)}" y="${round(source[1] + (reversed ? -5 : 12))}"`;
    return `${edge}<text class="label"${anchor} ${at}>${kind === 'taken' ? 'true' : 'false'}</text>`;
  }

  /** The part of a way that no edge before has drawn: its way to where it meets them, or from there. */
  #undrawn(kind: string, nodes: readonly number[], reversed: boolean): [first: number, last: number] {
    let [first, last] = [0, nodes.length - 1];
    const isNew = (step: number): boolean => {
      const line = `${kind} ${reversed} ${nodes[step]} ${nodes[step + 1]}`;
      if (this.#drawn.has(line)) return false;
      this.#drawn.add(line);
      return true;
    };
    if (reversed)
      for (let step = last - 1; step >= 0 && first === 0; step--) first = isNew(step) ? 0 : step + 1;
    else for (let step = 0; step < last; step++) if (!isNew(step)) last = step;
    return [first, last];
  }

  /** A line of a box to itself, at its right side. */
  loop(node: number): string {
    const { width, height } = this.#extent(node);
    const [right, y] = [this.#x(node) + width / 2, this.#y(node)];
    const d = `M${round(right)} ${round(y + height - 6)}c14 0 14 ${round(12 - height)} 0 ${round(12 - height)}`;
    return `<path class="edge next back-edge" d="${d}" marker-end="url(#head-next)"/>`;
  }

  /** Where an edge meets a node: boxes at their border, beside the other edges there; bends straight through. */
  #through(
    node: number,
    index: number,
    way: readonly number[],
    reversed: boolean,
  ): (readonly [x: number, y: number])[] {
    const { height } = this.#extent(node);
    const [x, y] = [this.#x(node), this.#y(node)];
    if (this.#layers.nodes[node]?.box === undefined)
      return [[x, y] as const, [x, y + this.#rowHeight(node)] as const];
    const leaves = index === 0;
    const toward = way[leaves ? 1 : way.length - 2];
    const port = this.#port(node, leaves, toward, reversed);
    return [[x + port, leaves ? y + height : y] as const];
  }

  #rowHeight(node: number): number {
    return this.#heights[this.#layers.nodes[node]?.layer ?? 0] ?? 0;
  }

  /** Edges at one side of a box share it, in the order of where they go; those with one way share their place. */
  #port(node: number, leaves: boolean, toward: number | undefined, reversed: boolean): number {
    const ends = (leaves ? this.#below : this.#above).get(node) ?? [];
    const place = ends.findIndex(({ other, back }) => other === toward && back === reversed);
    const spread = Math.min(leaves ? 76 : 40, this.#extent(node).width / (ends.length + 1));
    return (place - (ends.length - 1) / 2) * spread;
  }

  /** By box: where its lines on one side go. */
  #ends(leaves: boolean): Map<number, End[]> {
    const found = new Map<number, End[]>();
    for (const { nodes: way, reversed: back } of this.#layers.routes) {
      const [node, other] = leaves ? [way[0], way[1]] : [way.at(-1), way.at(-2)];
      if (node === undefined || other === undefined) continue;
      const ends = found.get(node) ?? [];
      if (!ends.some((end) => end.other === other && end.back === back)) ends.push({ other, back });
      found.set(node, ends);
    }
    for (const ends of found.values()) ends.sort((a, b) => this.#x(a.other) - this.#x(b.other));
    return found;
  }

  #extent(node: number): Extent {
    return this.#extents[node] ?? { width: 0, height: 0 };
  }

  #x(node: number): number {
    return this.#left + (this.#places.x[node] ?? 0);
  }

  #y(node: number): number {
    return this.#top + (this.#places.y[node] ?? 0);
  }
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escaped(text: string): string {
  return text
    .replaceAll(/\p{Cc}/gu, ' ')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;');
}
