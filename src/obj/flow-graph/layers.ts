/** First part of the drawing: which box stands in which row, and the way of each edge through the rows between. */
import type { Edge } from '../instructions/blocks.js';

/** A place in a row: a box, or a bend of an edge that passes the row. */
export interface Node {
  /** Index of the box; undefined for a bend. */
  readonly box: number | undefined;
  readonly layer: number;
}

/** An edge as a way from node to node, always downwards; `reversed` when control goes the other way. */
export interface Route {
  readonly kind: Edge['kind'];
  readonly nodes: readonly number[];
  readonly reversed: boolean;
}

export interface Layers {
  readonly nodes: readonly Node[];
  /** Indices of nodes by row, in the order from left to right that is still to be found. */
  readonly rows: readonly (readonly number[])[];
  readonly routes: readonly Route[];
  /** Edges of a box to itself. */
  readonly loops: readonly number[];
}

interface Arc {
  readonly from: number;
  readonly to: number;
  readonly kind: Edge['kind'];
  readonly reversed: boolean;
}

/** @param edges of each box, by its index; box 0 is the entry */
export function layered(edges: readonly (readonly Edge[])[]): Layers {
  const back = backEdges(edges);
  const loops: number[] = [];
  const arcs: Arc[] = [];
  for (const [from, own] of edges.entries()) {
    for (const [index, { to, kind }] of own.entries()) {
      if (to === from) loops.push(from);
      else if (back.has(`${from}:${index}`)) arcs.push({ from: to, to: from, kind, reversed: true });
      else arcs.push({ from, to, kind, reversed: false });
    }
  }
  const depth = longestPaths(edges.length, arcs);
  const nodes: Node[] = depth.map((layer, box) => ({ box, layer }));
  // Edges of one kind to one box share their way, as many checks lead to one end: each alone would fill the picture.
  const shared = new Map<string, number>();
  const bend = (layer: number, end: string): number => {
    const key = `${layer} ${end}`;
    const known = shared.get(key) ?? nodes.push({ box: undefined, layer }) - 1;
    shared.set(key, known);
    return known;
  };
  const routes = arcs.map(({ from, to, kind, reversed }): Route => {
    const way = [from];
    const end = reversed ? `${kind} up to ${from}` : `${kind} to ${to}`;
    for (let layer = (depth[from] ?? 0) + 1; layer < (depth[to] ?? 0); layer++) way.push(bend(layer, end));
    return { kind, reversed, nodes: [...way, to] };
  });
  const rows: number[][] = [];
  for (const [index, { layer }] of nodes.entries()) {
    rows[layer] ??= [];
    rows[layer].push(index);
  }
  return { nodes, rows: Array.from(rows, (row) => row ?? []), routes, loops };
}

/** Edges, as `box:index`, that lead back to where the way came from; without recursion, for code of any length. */
function backEdges(edges: readonly (readonly Edge[])[]): Set<string> {
  const back = new Set<string>();
  const state = new Array<'new' | 'open' | 'done'>(edges.length).fill('new');
  for (let root = 0; root < edges.length; root++) {
    if (state[root] !== 'new') continue;
    state[root] = 'open';
    const stack = [{ box: root, next: 0 }];
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const index = top.next++;
      const edge = edges[top.box]?.[index];
      if (edge === undefined) {
        state[top.box] = 'done';
        stack.pop();
      } else if (state[edge.to] === 'open') {
        back.add(`${top.box}:${index}`);
      } else if (state[edge.to] === 'new') {
        state[edge.to] = 'open';
        stack.push({ box: edge.to, next: 0 });
      }
    }
  }
  return back;
}

/** How many edges, at most, are between a box and the top. */
function longestPaths(count: number, arcs: readonly Arc[]): number[] {
  const depth = new Array<number>(count).fill(0);
  const entering = new Array<number>(count).fill(0);
  const leaving = Array.from({ length: count }, (): number[] => []);
  for (const { from, to } of arcs) {
    entering[to] = (entering[to] ?? 0) + 1;
    leaving[from]?.push(to);
  }
  const ready = depth.flatMap((_, box) => (entering[box] === 0 ? [box] : []));
  for (let at = 0; at < ready.length; at++) {
    const box = ready[at] ?? 0;
    for (const to of leaving[box] ?? []) {
      depth[to] = Math.max(depth[to] ?? 0, (depth[box] ?? 0) + 1);
      entering[to] = (entering[to] ?? 0) - 1;
      if (entering[to] === 0) ready.push(to);
    }
  }
  return depth;
}
