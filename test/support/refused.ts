import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { explanationContext } from '../../src/ebpf/refusal.js';
import { packageRoot } from '../../src/host/package-root.js';
import { ObjectSpec } from '../../src/obj/spec.js';
import type { ExplanationContext } from '../../src/obj/verifier/explanation.js';

/** Sources of programs that the verifier refuses; each says in comments which line breaks which rule. */
export const refusedFolder = join(packageRoot(), 'test/fixtures/refused');

export const compilers = ['clang14', 'clang19'] as const;

export interface Expectation {
  readonly rule: string;
  readonly line: number;
}

/** What a source says of its programs, by name: `// < RULE PROGRAM` at the end of the line to look at. */
export function expectations(name: string): ReadonlyMap<string, Expectation> {
  const found = new Map<string, Expectation>();
  sourceLines(`${name}.bpf.c`)?.forEach((text, index) => {
    const [, rule, program] = /\/\/ < (\S+) (\S+)$/.exec(text) ?? [];
    if (rule !== undefined && program !== undefined) found.set(program, { rule, line: index + 1 });
  });
  return found;
}

/** Names of the sources. */
export function refusedSources(): string[] {
  return readdirSync(refusedFolder)
    .filter((file) => file.endsWith('.bpf.c'))
    .map((file) => file.slice(0, -'.bpf.c'.length));
}

export function refusedObject(compiler: string, name: string): ObjectSpec {
  return ObjectSpec.readSync(join(refusedFolder, 'objects', compiler, `${name}.bpf.o`));
}

export function refusedContext(spec: ObjectSpec, program: string): ExplanationContext {
  return explanationContext(spec, program, sourceLines);
}

function sourceLines(file: string): readonly string[] | undefined {
  try {
    return readFileSync(join(refusedFolder, file), 'utf8').split('\n');
  } catch {
    return undefined;
  }
}

export interface RecordedLog {
  readonly kernel: string;
  readonly compiler: string;
  readonly source: string;
  readonly program: string;
  readonly log: string;
}

/** Real logs, which scripts/capture-verifier-logs.ts wrote on each of the kernels. */
export function recordedLogs(): RecordedLog[] {
  const root = join(packageRoot(), 'test/fixtures/verifier-logs');
  return readdirSync(root).flatMap((kernel) =>
    compilers.flatMap((compiler) =>
      sections(readFileSync(join(root, kernel, `${compiler}.txt`), 'utf8')).map((section) => ({
        kernel,
        compiler,
        ...section,
      })),
    ),
  );
}

function sections(text: string): { source: string; program: string; log: string }[] {
  return text.split(/^(?==== )/m).flatMap((section) => {
    const [, source, program] = /^=== (\S+) (\S+)\n/.exec(section) ?? [];
    if (source === undefined || program === undefined) return [];
    return [{ source, program, log: section.slice(section.indexOf('\n') + 1) }];
  });
}
