/** Code as the JSON documents show it, and as a page. */
import type { ListedFunction } from '../obj/instructions/listing.js';
import type { SourceLine } from '../obj/source-lines.js';
import { type Page, tone } from './page.js';
import type { DocumentOf } from './schema/index.js';

export type FunctionInfo = DocumentOf<'prog dump'>['functions'][number];
type InstructionInfo = FunctionInfo['instructions'][number];

/** What of the code is written out for people. */
export interface CodeView {
  readonly opcodes: boolean;
  readonly source: boolean;
}

export function functionDocument(listed: ListedFunction): FunctionInfo {
  return {
    name: listed.name,
    declaration: listed.declaration ?? null,
    start: listed.start,
    address: null,
    instructions: listed.instructions.map(({ index, bytes, text, target, line }) => ({
      at: index,
      bytes: Buffer.from(bytes).toString('hex'),
      text,
      target: target ?? null,
      source: sourceDocument(line),
    })),
  };
}

export function sourceDocument(line: SourceLine | undefined): InstructionInfo['source'] {
  return line === undefined
    ? null
    : { file: line.file, line: line.line, column: line.column, text: line.source };
}

/** A heading for each function, source lines before their instructions. */
export function fillCode(page: Page, functions: readonly FunctionInfo[], view: CodeView): void {
  for (const [index, { name, declaration, address, instructions }] of functions.entries()) {
    if (index > 0) page.line();
    const place = address === null ? '' : ` at ${address}`;
    page.line(tone('name', `${declaration ?? (name === '' ? 'function' : name)}${place}:`));
    const hex = address !== null;
    const last = instructions.at(-1)?.at ?? 0;
    const width = Math.max(4, (hex ? last.toString(16) : String(last)).length);
    for (const instruction of instructions) {
      if (view.source && instruction.source !== null) page.line(tone('dim', sourceText(instruction.source)));
      const at = hex ? instruction.at.toString(16) : String(instruction.at);
      page.line(
        `${at.padStart(width)}: ${view.opcodes ? opcodes(instruction.bytes, hex) : ''}${instruction.text}`,
      );
    }
  }
}

function sourceText({ file, line, text }: NonNullable<InstructionInfo['source']>): string {
  return `; ${text === '' ? '' : `${text.replaceAll('\t', ' ')}  `}${file}:${line}`;
}

/** Bytes in pairs, as wide as most instructions are: 8 for eBPF. */
function opcodes(bytes: string, native: boolean): string {
  const pairs = (native ? bytes : bytes.slice(0, 16)).match(/../g) ?? [];
  return `${pairs.join(' ').padEnd(native ? 32 : 23)}  `;
}
