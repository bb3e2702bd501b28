import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { counted } from '../../base/counted.js';
import { messageOf, NetkitError } from '../../base/errors.js';
import { type BuildResult, type BuiltObject, type CompileOptions, compile } from '../../build/clang.js';
import { SourceWatch } from '../../build/watch.js';
import { ObjectSpec } from '../../obj/spec.js';
import type { Command, CommandContext } from '../context.js';
import { type DiagnosticInfo, diagnosticsOf, diagnosticsText, flattened, summaryOf } from '../diagnostics.js';
import type { Page } from '../page.js';
import type { DocumentOf } from '../schema/index.js';

type Context = CommandContext<'build'>;
type BuildInfo = DocumentOf<'build'>;
type ObjectInfo = BuildInfo['objects'][number];

export const run: Command<'build'> = async (context, { sources }, options) => {
  const request: CompileOptions = {
    sources,
    output: options.output,
    includes: options.include,
    defines: options.define,
    signal: context.signal,
  };
  return options.watch ? watch(context, request) : buildOnce(context, request);
};

async function buildOnce(context: Context, request: CompileOptions): Promise<number> {
  const { output } = context;
  let result: BuildResult;
  try {
    result = await compileShown(context, request);
  } catch (error) {
    throw failure(context, error);
  }
  const document = await describe(result);
  sayDiagnostics(context, document.diagnostics);
  output.done(document, (page) => fillPage(page, document));
  return 0;
}

/** What ends the command: with `--json` all in the one error, else a word after the diagnostics. */
function failure(context: Context, error: unknown): unknown {
  const diagnostics = diagnosticsOf(error);
  if (diagnostics === undefined || !(error instanceof NetkitError)) return error;
  const { message, hint, details } = error;
  if (context.options.json) {
    return new NetkitError(error.code, message, { hint, details: { ...details, diagnostics }, cause: error });
  }
  context.output.explain(diagnosticsText(diagnostics));
  return summaryOf(String(details.source), diagnostics, error);
}

/**
 * Compiles now, and each source again whenever it or a header of it changes, until the signal. What does not compile is
 * said, and tried again after its next change; what is wrong with the command line ends the command.
 */
async function watch(context: Context, request: CompileOptions): Promise<number> {
  const { output, signal } = context;
  const files = new Map<string, readonly string[]>();
  for (const source of request.sources) files.set(source, [resolve(source)]);
  const pending = new Set<string>();
  let wake: () => void = () => undefined;
  const stop = () => wake();
  signal.addEventListener('abort', stop);
  try {
    // From before the first build on, so that no change during one is lost.
    using watcher = new SourceWatch([...files.values()].flat(), (changed) => {
      for (const path of changed) pending.add(path);
      wake();
    });
    await firstBuild(context, request, files);
    while (!signal.aborted) {
      watcher.follow([...files.values()].flat());
      if (pending.size === 0) {
        output.debug(`watching ${[...new Set([...files.values()].flat())].join(', ')}`);
        await new Promise<void>((done) => {
          wake = done;
        });
      }
      const changed = new Set(pending);
      pending.clear();
      const stale = request.sources.filter((source) => files.get(source)?.some((file) => changed.has(file)));
      if (stale.length > 0 && !signal.aborted) await rebuild(context, request, stale, files);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    signal.removeEventListener('abort', stop);
  }
  // As for every command that Ctrl-C ends.
  return 130;
}

async function firstBuild(
  context: Context,
  request: CompileOptions,
  files: Map<string, readonly string[]>,
): Promise<void> {
  try {
    const result = await compileShown(context, request);
    for (const { source, dependencies } of result.objects)
      files.set(source, [resolve(source), ...dependencies]);
    record(context, await describe(result));
  } catch (error) {
    if (diagnosticsOf(error) === undefined) throw error;
    await rebuild(context, request, request.sources, files);
  }
}

/** Compiles these sources one by one, so that one that fails does not keep the others. */
async function rebuild(
  context: Context,
  request: CompileOptions,
  sources: readonly string[],
  files: Map<string, readonly string[]>,
): Promise<void> {
  const objects: ObjectInfo[] = [];
  const diagnostics: DiagnosticInfo[] = [];
  for (const source of sources) {
    try {
      const result = await compileShown(context, { ...request, sources: [source] });
      for (const { dependencies } of result.objects) files.set(source, [resolve(source), ...dependencies]);
      const described = await describe(result);
      objects.push(...described.objects);
      diagnostics.push(...described.diagnostics);
    } catch (error) {
      if (context.signal.aborted || !(error instanceof NetkitError)) throw error;
      const found = diagnosticsOf(error) ?? [problemWith(source, error)];
      diagnostics.push(...found);
      // The header that is at fault may be new.
      const named = found.flatMap(({ file }) => (file === null ? [] : [resolve(file)]));
      files.set(source, [...new Set([...(files.get(source) ?? []), ...named])]);
    }
  }
  record(context, { objects, diagnostics });
}

function problemWith(source: string, error: NetkitError): DiagnosticInfo {
  return { file: source, line: null, column: null, severity: 'error', message: messageOf(error) };
}

function record(context: Context, document: BuildInfo): void {
  sayDiagnostics(context, document.diagnostics);
  context.output.record(document, (page) => fillPage(page, document));
}

function compileShown({ output }: Context, request: CompileOptions): Promise<BuildResult> {
  return output.progress(`compiling ${request.sources.join(', ')}`, () => compile(request));
}

function sayDiagnostics({ output, options }: Context, diagnostics: readonly DiagnosticInfo[]): void {
  const isWorse = diagnostics.some(({ severity }) => severity === 'error');
  if (diagnostics.length > 0 && (isWorse || !options.quiet)) output.explain(diagnosticsText(diagnostics));
}

async function describe({ objects, warnings }: BuildResult): Promise<BuildInfo> {
  return { objects: await Promise.all(objects.map(describeObject)), diagnostics: flattened(warnings) };
}

async function describeObject({ source, object }: BuiltObject): Promise<ObjectInfo> {
  const bytes = await readFile(object);
  // A source may hold nothing but types.
  const spec = ObjectSpec.parse(new Uint8Array(bytes), { path: object, requireBpf: false });
  return {
    file: object,
    sources: [source],
    bytes: bytes.length,
    programs: spec.programs.map(({ name }) => name),
    maps: spec.maps.filter(({ kind }) => kind !== 'data').map(({ name }) => name),
  };
}

function fillPage(page: Page, { objects }: BuildInfo): void {
  for (const { file, bytes, programs, maps } of objects) {
    page.line(
      `${file}: ${counted(programs.length, 'program')}, ${counted(maps.length, 'map')}, ${bytes} bytes`,
    );
  }
}
