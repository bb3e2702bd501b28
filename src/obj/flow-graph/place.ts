/** Second part of the drawing: the order in each row, so that few edges cross, and where everything stands. */
import type { Layers } from './layers.js';

export interface Extent {
  readonly width: number;
  readonly height: number;
}

export interface Placed {
  /** Middle of a node. */
  readonly x: readonly number[];
  /** Top of a node. */
  readonly y: readonly number[];
  readonly width: number;
  readonly height: number;
}

const gap = { column: 24, row: 44 } as const;
const rounds = 12;

/** @param extent of each node: a bend has none */
export function placed(layers: Layers, extent: readonly Extent[]): Placed {
  const neighbours = neighboursOf(layers);
  const rows = ordered(layers, neighbours);
  const x = columns(rows, extent, neighbours);
  const y = new Array<number>(extent.length).fill(0);
  let top = 0;
  for (const row of rows) {
    for (const node of row) y[node] = top;
    top += Math.max(0, ...row.map((node) => extent[node]?.height ?? 0)) + gap.row;
  }
  const left = x.reduce((least, middle, node) => Math.min(least, middle - (extent[node]?.width ?? 0) / 2), 0);
  const moved = x.map((middle) => middle - left);
  const width = moved.reduce(
    (most, middle, node) => Math.max(most, middle + (extent[node]?.width ?? 0) / 2),
    0,
  );
  return { x: moved, y, width, height: Math.max(0, top - gap.row) };
}

interface Neighbours {
  readonly above: readonly (readonly number[])[];
  readonly below: readonly (readonly number[])[];
}

function neighboursOf({ nodes, routes }: Layers): Neighbours {
  const above = nodes.map((): number[] => []);
  const below = nodes.map((): number[] => []);
  const known = new Set<number>();
  for (const { nodes: way } of routes) {
    for (let step = 1; step < way.length; step++) {
      const [from, to] = [way[step - 1] ?? 0, way[step] ?? 0];
      const line = from * nodes.length + to;
      if (known.has(line)) continue;
      known.add(line);
      below[from]?.push(to);
      above[to]?.push(from);
    }
  }
  return { above, below };
}

/** Sorts each row by the mean place of its neighbours in the row before, down and up again; the best order stays. */
function ordered({ rows }: Layers, { above, below }: Neighbours): number[][] {
  let current = rows.map((row) => [...row]);
  let best = current;
  let fewest = crossings(current, below);
  for (let round = 0; round < rounds && fewest > 0; round++) {
    const down = round % 2 === 0;
    current = sweep(current, down ? above : below, down);
    const count = crossings(current, below);
    if (count < fewest) {
      fewest = count;
      best = current;
    }
  }
  return best;
}

function sweep(rows: readonly (readonly number[])[], toward: Neighbours['above'], down: boolean): number[][] {
  const places = new Map<number, number>();
  const sorted: number[][] = rows.map((row) => [...row]);
  const order = rows.map((_, index) => (down ? index : rows.length - 1 - index));
  for (const index of order) {
    const row = sorted[index] ?? [];
    const weights = new Map(
      row.map((node, place) => [
        node,
        mean(
          (toward[node] ?? []).map((other) => places.get(other) ?? 0),
          place,
        ),
      ]),
    );
    row.sort((a, b) => (weights.get(a) ?? 0) - (weights.get(b) ?? 0));
    for (const [place, node] of row.entries()) places.set(node, place);
  }
  return sorted;
}

/** How many pairs of lines cross between rows: of two that begin in order, those that end out of it. */
function crossings(rows: readonly (readonly number[])[], below: Neighbours['below']): number {
  let count = 0;
  for (const [index, row] of rows.entries()) {
    const next = rows[index + 1] ?? [];
    const places = new Map(next.map((node, place) => [node, place]));
    const ends = row.map((node) => (below[node] ?? []).map((other) => places.get(other) ?? 0));
    // A Fenwick tree over the places: how many lines ended before a place.
    const tree = new Array<number>(next.length + 1).fill(0);
    let seen = 0;
    for (const own of ends) {
      for (const end of own) {
        let before = 0;
        for (let at = end + 1; at > 0; at -= at & -at) before += tree[at] ?? 0;
        count += seen - before;
      }
      for (const end of own) {
        for (let at = end + 1; at < tree.length; at += at & -at) tree[at] = (tree[at] ?? 0) + 1;
        seen += 1;
      }
    }
  }
  return count;
}

/** Nodes side by side, then drawn towards the middle of their neighbours as far as those beside them let them. */
function columns(
  rows: readonly (readonly number[])[],
  extent: readonly Extent[],
  { above, below }: Neighbours,
): number[] {
  const x = new Array<number>(extent.length).fill(0);
  const half = (node: number | undefined): number =>
    node === undefined ? 0 : (extent[node]?.width ?? 0) / 2;
  for (const row of rows) {
    let edge = 0;
    for (const node of row) {
      x[node] = edge + half(node);
      edge += 2 * half(node) + gap.column;
    }
    const middle = (edge - gap.column) / 2;
    for (const node of row) x[node] = (x[node] ?? 0) - middle;
  }
  for (let round = 0; round < rounds; round++) {
    const toward = round % 2 === 0 ? above : below;
    const order = round % 2 === 0 ? rows : [...rows].reverse();
    for (const row of order) align(row, x, half, toward);
  }
  return x;
}

/** Each node as near as it gets to where it wants to be: runs of nodes that push each other share the mean. */
function align(
  row: readonly number[],
  x: number[],
  half: (node: number | undefined) => number,
  toward: Neighbours['above'],
): void {
  interface Run {
    readonly nodes: number[];
    /** Where each node is, counted from the first. */
    readonly at: number[];
    wish: number;
  }
  const runs: Run[] = [];
  for (const node of row) {
    const wanted = mean(
      (toward[node] ?? []).map((other) => x[other] ?? 0),
      x[node] ?? 0,
    );
    let run: Run = { nodes: [node], at: [0], wish: wanted };
    for (let before = runs.at(-1); before !== undefined; before = runs.at(-1)) {
      const last = before.nodes.at(-1);
      const distance = half(last) + half(run.nodes[0]) + gap.column;
      if (before.wish + (before.at.at(-1) ?? 0) + distance <= run.wish) break;
      runs.pop();
      const shift = (before.at.at(-1) ?? 0) + distance;
      const total = before.nodes.length + run.nodes.length;
      run = {
        nodes: [...before.nodes, ...run.nodes],
        at: [...before.at, ...run.at.map((place) => place + shift)],
        wish: (before.wish * before.nodes.length + (run.wish - shift) * run.nodes.length) / total,
      };
    }
    runs.push(run);
  }
  for (const { nodes, at, wish } of runs)
    for (const [index, node] of nodes.entries()) x[node] = wish + (at[index] ?? 0);
}

function mean(values: readonly number[], otherwise: number): number {
  return values.length === 0 ? otherwise : values.reduce((sum, value) => sum + value, 0) / values.length;
}
