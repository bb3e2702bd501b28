import { NetkitError } from '../../base/errors.js';
import { openProgram } from '../../cnf/reference.js';
import { programListing } from '../../ebpf/program-listing.js';
import type { ListedFunction } from '../../obj/instructions/listing.js';
import { ObjectSpec } from '../../obj/spec.js';
import { fillCode, functionDocument } from '../code-document.js';
import type { Command, CommandContext } from '../context.js';
import { objectFile } from '../object-file.js';
import { openReference } from '../open-reference.js';
import { writeOutputFile } from '../output-file.js';
import { Page, plainText } from '../page.js';
import type { DocumentOf } from '../schema/index.js';
import type { Options } from '../table/index.js';

type Document = DocumentOf<'prog dump'>;

/** A program's code, before it is shown in one way or another. */
interface Found {
  readonly document: Omit<Document, 'graph' | 'file'>;
  /** What a graph is made of. */
  readonly listed: readonly ListedFunction[];
}

export const run: Command<'prog dump'> = async (context, { reference }, options) => {
  const found = await find(context, reference, options);
  const view = { opcodes: options.opcodes, source: !options.noSource };
  if (options.visual === undefined) {
    await give(context, { ...found.document, graph: null, file: null }, options.output, (page) =>
      fillCode(page, found.document.functions, view),
    );
    return;
  }
  const graph = await drawing(found, options.visual, view.source);
  const text = options.output === undefined ? graph : null;
  const document = { ...found.document, graph: { format: options.visual, text }, file: null };
  await give(context, document, options.output, (page) => page.text(graph));
};

async function give(
  { output, signal }: CommandContext<'prog dump'>,
  document: Document,
  file: string | undefined,
  fill: (page: Page) => void,
): Promise<void> {
  if (file === undefined) {
    output.result(document, fill);
    return;
  }
  const page = new Page();
  fill(page);
  const text = plainText(page.blocks);
  await writeOutputFile(file, text, signal);
  const { name } = document.program;
  output.done({ ...document, file }, (shown) =>
    shown.line(`${file}: ${name}, ${Buffer.byteLength(text)} bytes`),
  );
}

async function find(
  context: CommandContext<'prog dump'>,
  reference: string | undefined,
  options: Options<'prog dump'>,
): Promise<Found> {
  if (options.object !== undefined) return fromObject(options.object, reference);
  if (reference === undefined) {
    throw new NetkitError('usage', 'there is no program to show', {
      hint: 'give a reference, or --object OBJ',
    });
  }
  using program = await openReference(context, reference, openProgram);
  const { id, name } = program.info();
  const about = { program: { id, name }, object: null } as const;
  if (options.native) {
    const { nativeListing } = await import('../native-listing.js');
    const functions = await nativeListing(program, context.signal);
    return { document: { ...about, code: 'native', functions }, listed: [] };
  }
  const { functions: listed, notes } = programListing(program);
  for (const note of notes) context.output.note(note);
  return { document: { ...about, code: 'translated', functions: listed.map(functionDocument) }, listed };
}

async function fromObject(file: string, name: string | undefined): Promise<Found> {
  const path = objectFile(file);
  const spec = await ObjectSpec.read(path);
  const [only, ...more] = spec.programs;
  if (name === undefined && (only === undefined || more.length > 0)) {
    const names = spec.programs.map((program) => program.name).join(', ');
    throw new NetkitError('usage', `${path} has ${only === undefined ? 'no' : 'more than one'} program`, {
      hint: only === undefined ? undefined : `say which: ${names}`,
    });
  }
  const chosen = spec.program(name ?? only?.name ?? '');
  const listed = spec.listing(chosen.name);
  const functions = listed.map(functionDocument);
  return {
    document: { program: { id: null, name: chosen.name }, object: path, code: 'compiled', functions },
    listed,
  };
}

async function drawing(
  { document, listed }: Found,
  format: 'dot' | 'svg',
  withSource: boolean,
): Promise<string> {
  const { functionGraph } = await import('../../obj/flow-graph/function-graph.js');
  const graphs = listed.map((each) => functionGraph(each, withSource));
  const { name } = document.program;
  if (format === 'dot') {
    const { dotText } = await import('../../obj/flow-graph/dot.js');
    return dotText(name, graphs);
  }
  const { svgText } = await import('../../obj/flow-graph/svg.js');
  return svgText(name, graphs);
}
