/** Control flow in the language of Graphviz, for those who have its tools. */
import type { Edge } from '../instructions/blocks.js';
import type { Box, FunctionGraph } from './function-graph.js';

const edgeStyles = {
  taken: 'label="true", color="#2a7d3f"',
  else: 'label="false", color="#b3402f"',
  next: 'color="#555555"',
} as const satisfies Record<Edge['kind'], string>;

/** One directed graph with a cluster for each function. */
export function dotText(title: string, functions: readonly FunctionGraph[]): string {
  const lines = [
    `digraph ${quoted(title)} {`,
    '  node [shape=box, fontname="monospace", fontsize=10];',
    '  edge [fontname="monospace", fontsize=9];',
  ];
  for (const [number, { title: heading, boxes }] of functions.entries()) {
    lines.push(
      `  subgraph cluster_${number} {`,
      `    label=${quoted(heading)};`,
      '    fontname="monospace";',
    );
    for (const [index, box] of boxes.entries()) {
      lines.push(`    ${nodeName(number, index)} [label=${label(box)}];`);
    }
    for (const [index, { edges }] of boxes.entries()) {
      for (const { to, kind } of edges)
        lines.push(`    ${nodeName(number, index)} -> ${nodeName(number, to)} [${edgeStyles[kind]}];`);
    }
    lines.push('  }');
  }
  return `${[...lines, '}'].join('\n')}\n`;
}

const nodeName = (functionNumber: number, box: number): string => `f${functionNumber}_b${box}`;

/** `\l` ends a line that lines up on the left. */
function label({ lines }: Box): string {
  return `"${lines.map(({ text }) => `${escaped(text)}\\l`).join('')}"`;
}

function quoted(text: string): string {
  return `"${escaped(text)}"`;
}

function escaped(text: string): string {
  return text.replaceAll(/[\\"]/g, '\\$&').replaceAll(/\p{Cc}/gu, ' ');
}
