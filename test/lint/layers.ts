import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix, relative } from 'node:path';
import { init, parse } from 'es-module-lexer';
import { transform } from 'esbuild';

interface Layer {
  /** Our layers that this one may import beside itself. */
  readonly may: readonly string[];
  /** Packages that it may import; the key is a path prefix inside the layer, '' for all of it. */
  readonly packages: Readonly<Record<string, readonly string[]>>;
  readonly reason: string;
}

const ownOnly = (...packages: string[]): Record<string, readonly string[]> => ({ '': packages });
const surface = ['base', 'host', 'obj', 'build', 'ebpf', 'cnf', 'functions'];
const surfaceReason = 'a surface uses what lies below it, and no other surface';

/** Who may import whom: the table of docs/architecture.md. */
const lower: Readonly<Record<string, Layer>> = {
  base: { may: [], packages: ownOnly(), reason: 'base is what all others stand on, so it stands on nothing' },
  sys: {
    may: ['base'],
    packages: ownOnly('koffi'),
    reason: 'sys is the wall around native calls, and knows nothing of what they are for',
  },
  host: {
    may: ['base', 'sys'],
    packages: { 'command.ts': ['execa'] },
    reason: 'host describes the machine; other programs are run through host/command.ts alone',
  },
  obj: {
    may: ['base'],
    packages: ownOnly(),
    reason: 'parsing is pure: the same file gives the same result on every machine, without privileges',
  },
  ebpf: {
    may: ['base', 'sys', 'host', 'obj'],
    packages: ownOnly(),
    reason: 'ebpf holds kernel objects, and knows neither compilers nor functions',
  },
  build: {
    may: ['base', 'host', 'obj'],
    packages: ownOnly(),
    reason: 'building needs files and clang, never a kernel object',
  },
  cnf: {
    may: ['base', 'host', 'obj', 'ebpf', 'build'],
    packages: ownOnly('yaml', 'zod'),
    reason: 'cnf performs actions on kernel objects, and knows no function by name',
  },
  functions: {
    may: ['base', 'obj', 'ebpf', 'cnf'],
    packages: ownOnly('zod'),
    reason: 'a function is configuration turned into globals and entries',
  },
  pack: {
    may: ['base', 'host', 'obj', 'cnf'],
    packages: ownOnly(),
    reason: 'packing reads files and needs no kernel',
  },
  serve: {
    may: ['base', 'host', 'obj', 'ebpf', 'cnf', 'functions', 'pack'],
    packages: ownOnly('zod'),
    reason: surfaceReason,
  },
  observe: { may: surface, packages: ownOnly(), reason: surfaceReason },
  bench: {
    may: surface,
    packages: { '': ['zod'], 'report/': ['echarts'] },
    reason: surfaceReason,
  },
  cni: { may: surface, packages: ownOnly(), reason: surfaceReason },
};

export const layers: Readonly<Record<string, Layer>> = {
  ...lower,
  cli: {
    may: Object.keys(lower).filter((name) => name !== 'sys'),
    packages: { '': ['commander', 'chalk', 'cli-table3', 'ora', 'zod'] },
    reason: 'the command line is thin: native calls belong behind ebpf and host',
  },
};

export interface Import {
  /** The importing file, relative to the root, as `src/obj/elf.ts`. */
  readonly file: string;
  /** What stands in the source, undefined when that is no literal. */
  readonly specifier: string | undefined;
  readonly typeOnly: boolean;
  readonly dynamic: boolean;
}

/** All imports and re-exports of one TypeScript file, type-only ones included. */
export async function importsOf(file: string, source: string): Promise<Import[]> {
  await init();
  const found = parse(source, file)[0].flatMap((item) => {
    switch (item.type) {
      case 'import-meta':
        return [];
      case 'dynamic':
        return [
          {
            file,
            specifier: item.glob ? undefined : item.specifier,
            typeOnly: item.probablyTypeOnly,
            dynamic: !item.probablyTypeOnly,
          },
        ];
      default:
        return [{ file, specifier: item.specifier, typeOnly: item.typeOnly, dynamic: false }];
    }
  });
  await nothingMissed(file, source, found);
  return [...found, ...typeQueries(file, source, found)];
}

/** `import('./x.js').X` where a type stands, which the lexer passes over; one in a comment counts too. */
function typeQueries(file: string, source: string, found: readonly Import[]): Import[] {
  return [...source.matchAll(/\bimport\(\s*(['"])(.+?)\1\s*\)/g)]
    .map((match) => match[2])
    .filter((specifier) => !found.some((other) => other.specifier === specifier))
    .map((specifier) => ({ file, specifier, typeOnly: true, dynamic: false }));
}

/** The lexer reads TypeScript by rules of thumb; what stays in the JavaScript must all have been seen. */
async function nothingMissed(file: string, source: string, found: readonly Import[]): Promise<void> {
  const { code } = await transform(source, {
    loader: 'ts',
    target: 'esnext',
    tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true } },
  });
  for (const item of parse(code, file)[0]) {
    if (item.type === 'static' && !found.some(({ specifier }) => specifier === item.specifier)) {
      throw new Error(`${file}: the import of ${item.specifier} was overlooked`);
    }
  }
}

/** The sentence that says why an import breaks the table, or undefined when it does not. */
export function violation({ file, specifier, typeOnly }: Import): string | undefined {
  const says = (reason: string): string => `${file} imports ${specifier ?? 'something'}: ${reason}`;
  if (specifier === undefined) {
    return says('an import whose path is not a literal escapes every check');
  }
  if (specifier.startsWith('node:')) {
    return undefined;
  }
  const from = layerOf(file);
  if (!specifier.startsWith('.')) {
    return packageViolation(file, from, specifier, typeOnly)?.replace(/^/, says(''));
  }
  const target = posix.join(posix.dirname(file), specifier);
  if (!target.startsWith('src/')) {
    return says('src imports nothing outside src');
  }
  const to = layerOf(target);
  if (from === 'index') {
    return to === 'sys' || to === 'cli'
      ? says('the public API exports neither the wall nor the command line')
      : undefined;
  }
  const layer = layers[from];
  if (layer === undefined) {
    return says(`src/${from} is in no row of the table`);
  }
  if (to === 'index') {
    return says('the public API is for others; inside, import the module that has the thing');
  }
  if (to !== from && !layer.may.includes(to)) {
    return says(`${from} may import ${layer.may.join(', ') || 'nothing of ours'}, because ${layer.reason}`);
  }
  return schemaViolation(file, target, typeOnly)?.replace(/^/, says(''));
}

function packageViolation(
  file: string,
  from: string,
  specifier: string,
  typeOnly: boolean,
): string | undefined {
  const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
  const layer = layers[from];
  const inLayer = file.slice(`src/${from}/`.length);
  const may = Object.entries(layer?.packages ?? {}).flatMap(([prefix, names]) =>
    inLayer.startsWith(prefix) ? names : [],
  );
  if (!may.includes(name)) {
    return `${file} may import ${may.length > 0 ? `no package but ${may.join(', ')}` : 'no package'}, because ${layer?.reason ?? 'the public API is made of our own modules'}`;
  }
  if (from === 'cli' && name === 'zod' && !typeOnly && !inLayer.startsWith('schema/')) {
    return 'in the cli, zod stands in src/cli/schema alone, which a generator reads and no command loads';
  }
  return undefined;
}

/** The JSON schemas are written with zod, for a generator; loading them would cost each command its time. */
function schemaViolation(file: string, target: string, typeOnly: boolean): string | undefined {
  const schema = 'src/cli/schema/';
  return target.startsWith(schema) && !file.startsWith(schema) && !typeOnly
    ? 'src/cli/schema is for the generator; at run time only its types may be used'
    : undefined;
}

/** `src/obj/elf.ts` → `obj`, `src/index.ts` → `index`. */
function layerOf(path: string): string {
  const [, second = '', third] = path.split('/');
  return third === undefined ? second.replace(/\.[jt]s$/, '') : second;
}

export interface SourceFile {
  /** Relative to `root`, with forward slashes. */
  readonly path: string;
  readonly text: string;
}

/** Every TypeScript file under `src`. */
export function sourceFiles(root: string): SourceFile[] {
  return readdirSync(join(root, 'src'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .map((path) => ({ path: relative(root, path), text: readFileSync(path, 'utf8') }));
}

/** Files that a program wrote say so in their first line. */
export function isGenerated({ text }: SourceFile): boolean {
  return /^\/[/*].*\bgenerated\b/i.test(text.split('\n', 1)[0] ?? '');
}

/** What `file` imports eagerly at run time, itself and through others, as paths in src and package names. */
export async function eagerImports(
  file: SourceFile,
  all: readonly SourceFile[],
): Promise<Map<string, string>> {
  const byPath = new Map(all.map((source) => [source.path, source]));
  /** What is imported → who imports it. */
  const found = new Map<string, string>();
  const queue = [file];
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    for (const { specifier, typeOnly, dynamic } of await importsOf(next.path, next.text)) {
      if (specifier === undefined || typeOnly || dynamic || specifier.startsWith('node:')) {
        continue;
      }
      const target = specifier.startsWith('.')
        ? posix.join(dirname(next.path), specifier).replace(/\.js$/, '.ts')
        : specifier;
      if (!found.has(target)) {
        found.set(target, next.path);
        const source = byPath.get(target);
        if (source !== undefined) {
          queue.push(source);
        }
      }
    }
  }
  return found;
}
