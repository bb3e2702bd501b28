import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dotText } from '../../../../src/obj/flow-graph/dot.js';
import { type FunctionGraph, functionGraph } from '../../../../src/obj/flow-graph/function-graph.js';
import { layered } from '../../../../src/obj/flow-graph/layers.js';
import { placed } from '../../../../src/obj/flow-graph/place.js';
import { svgText } from '../../../../src/obj/flow-graph/svg.js';
import type { Edge } from '../../../../src/obj/instructions/blocks.js';
import { objectSpec } from '../fixtures.js';

/** Any graph: edges from each box to others, itself included. */
const graphs = fc.integer({ min: 1, max: 25 }).chain((count) =>
  fc.array(
    fc.uniqueArray(fc.integer({ min: 0, max: count - 1 }), { maxLength: 2 }).map((targets): Edge[] =>
      targets.map((to, index) => ({
        to,
        kind: targets.length === 1 ? 'next' : index === 0 ? 'taken' : 'else',
      })),
    ),
    { minLength: count, maxLength: count },
  ),
);

describe('the layout of any graph', () => {
  it('draws every edge once, downwards through each row between, or as a loop', () => {
    fc.assert(
      fc.property(graphs, (edges) => {
        const { nodes, routes, loops } = layered(edges);
        const drawn = routes.map(({ nodes: way, reversed }) =>
          reversed ? `${way.at(-1)}-${way[0]}` : `${way[0]}-${way.at(-1)}`,
        );
        const wanted = edges.flatMap((own, from) => own.map(({ to }) => `${from}-${to}`));
        expect([...drawn, ...loops.map((box) => `${box}-${box}`)].sort()).toEqual(wanted.sort());
        for (const { nodes: way } of routes) {
          for (let step = 1; step < way.length; step++)
            expect((nodes[way[step] ?? 0]?.layer ?? 0) - (nodes[way[step - 1] ?? 0]?.layer ?? 0)).toBe(1);
        }
      }),
    );
  });

  it('lets no two boxes touch, and stays inside of its picture', () => {
    fc.assert(
      fc.property(graphs, (edges) => {
        const layers = layered(edges);
        const extent = layers.nodes.map(({ box }) =>
          box === undefined ? { width: 8, height: 0 } : { width: 40 + ((box * 37) % 90), height: 30 + box },
        );
        const { x, y, width, height } = placed(layers, extent);
        for (const [row, nodes] of layers.rows.entries()) {
          const spans = nodes
            .map((node) => [
              (x[node] ?? 0) - (extent[node]?.width ?? 0) / 2,
              (x[node] ?? 0) + (extent[node]?.width ?? 0) / 2,
            ])
            .sort((a, b) => (a[0] ?? 0) - (b[0] ?? 0));
          for (const [index, span] of spans.entries()) {
            expect(span[0] ?? -1).toBeGreaterThanOrEqual(-0.001);
            expect(span[1] ?? 0).toBeLessThanOrEqual(width + 0.001);
            const before = spans[index - 1];
            if (before !== undefined) expect(span[0] ?? 0).toBeGreaterThan(before[1] ?? 0);
          }
          for (const node of nodes) {
            const bottom = (y[node] ?? 0) + (extent[node]?.height ?? 0);
            const next = layers.rows[row + 1]?.[0];
            expect(bottom).toBeLessThanOrEqual(next === undefined ? height + 44 : (y[next] ?? 0));
          }
        }
      }),
    );
  });
});

const listed = objectSpec('subprograms').listing('calls');
const real = listed.map((each) => functionGraph(each, true));

describe('a drawing', () => {
  it('has every instruction once, as DOT and as SVG', () => {
    const count = listed.flatMap(({ instructions }) => instructions).length;
    expect(dotText('calls', real).match(/ {2}\d+: /g)?.length ?? 0).toBe(count);
    expect(svgText('calls', real).match(/<text x[^>]*> *\d+: /g)).toHaveLength(count);
  });

  it('has every edge of every block', () => {
    const edges = real.flatMap(({ boxes }) => boxes.flatMap((box) => box.edges)).length;
    expect(dotText('calls', real).match(/ -> /g)?.length ?? 0).toBe(edges);
    expect(svgText('calls', real).match(/<path class="edge/g)?.length ?? 0).toBe(edges);
  });

  it('leaves source lines out when they are not wanted', () => {
    const bare = listed.map((each) => functionGraph(each, false));
    expect(svgText('calls', real)).toContain('class="source"');
    expect(svgText('calls', bare)).not.toContain('class="source"');
  });

  it('lets no text out of its place', () => {
    const hostile: FunctionGraph = {
      name: 'f',
      title: '"]<script>&\u001b[31m\n',
      boxes: [{ start: 0, edges: [], lines: [{ kind: 'source', text: '</text><script>"\\]\n' }] }],
    };
    const svg = svgText('<script>', [hostile]);
    expect(svg).not.toContain('<script>');
    expect(svg).not.toContain('\u001b');
    const dot = dotText('"', [hostile]);
    expect(dot).toContain('label="</text><script>\\"\\\\] \\l"');
    expect(dot).toMatch(/^digraph "\\"" \{$/m);
  });

  it('follows the reader to light and dark', () => {
    expect(svgText('calls', real)).toMatch(/@media \(prefers-color-scheme: dark\)/);
  });

  it('of thousands of checks with one end is made in a moment, and no line of it twice', () => {
    const count = 3000;
    const boxes = Array.from({ length: count }, (_, start) => ({
      start,
      lines: [{ kind: 'instruction' as const, text: `${start}: if r1 > r2` }],
      edges:
        start === count - 1
          ? []
          : ([
              { to: count - 1, kind: 'taken' },
              { to: start + 1, kind: 'else' },
            ] as const),
    }));
    const svg = svgText('checks', [{ name: 'f', title: 'f', boxes }]);
    expect(svg.match(/<path class="edge/g)).toHaveLength(2 * (count - 1));
    expect(svg.length).toBeLessThan(count * 2000);
  });
});
