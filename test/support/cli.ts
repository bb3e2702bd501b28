import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { main } from '../../src/cli/main.js';
import { withNetns } from '../../src/host/netns.js';
import { packageRoot } from '../../src/host/package-root.js';
import { FakeIo } from '../unit/cli/fake-io.js';
import type { TestNetns } from './netns.js';

/** What node runs as netkit. */
export const netkitPath = join(packageRoot(), 'bin/netkit.js');

export interface CliOptions {
  /** Added to a clean environment: variables of netkit that the tests run under do not pass. */
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  readonly cwd?: string;
  /** Runs netkit in this network namespace (not: `--netns`). */
  readonly netns?: TestNetns;
  /** Milliseconds; 60,000 by default. */
  readonly timeout?: number;
}

/** How a run of the command line ended. */
export class CliResult {
  /** Exit status; 128 + signal is not counted: a signal is an error of the test. */
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;

  constructor(status: number, stdout: string, stderr: string) {
    this.status = status;
    this.stdout = stdout;
    this.stderr = stderr;
  }

  /** Standard output as one JSON document; throws with both outputs when it is none. */
  json(): unknown {
    return this.#parse(this.stdout);
  }

  /** The error document that `--json` puts on standard error. */
  jsonError(): unknown {
    return this.#parse(this.stderr);
  }

  /** Standard output as one JSON document a line. */
  jsonLines(): unknown[] {
    const lines = this.stdout.split('\n').filter((line) => line !== '');
    return lines.map((line) => this.#parse(line));
  }

  #parse(text: string): unknown {
    try {
      return JSON.parse(text);
    } catch (error) {
      throw new Error(`no JSON (status ${this.status})\nstdout: ${this.stdout}\nstderr: ${this.stderr}`, {
        cause: error,
      });
    }
  }
}

/** Runs `netkit args…` as a user would and waits for its end. */
export function netkit(args: readonly string[], options: CliOptions = {}): CliResult {
  const { input, cwd, netns, timeout = 60_000 } = options;
  const result = withNetns(netns?.handle, () =>
    spawnSync(process.execPath, [netkitPath, ...args], {
      env: environment(options.env),
      input: input ?? '',
      encoding: 'utf8',
      timeout,
      maxBuffer: 256 << 20,
      ...(cwd === undefined ? {} : { cwd }),
    }),
  );
  if (result.error !== undefined) throw new Error(`netkit ${args.join(' ')}: ${result.error.message}`);
  if (result.status === null)
    throw new Error(`netkit ${args.join(' ')}: ended by ${result.signal}\n${result.stderr}`);
  return new CliResult(result.status, result.stdout, result.stderr);
}

/** Runs netkit by its code in this process, with nothing in its environment but that. */
export async function netkitHere(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<CliResult> {
  const io = new FakeIo({ env });
  const status = await main(args, io);
  return new CliResult(status, io.out, io.err);
}

/** A running command: `--hold`, `--watch`, `trace`. Disposing kills it. */
export class RunningCli implements Disposable {
  readonly process: ChildProcess;
  /** Resolves when it ended, whatever the status; rejects when a signal that it did not handle ended it. */
  readonly ended: Promise<CliResult>;
  #stdout = '';
  #stderr = '';
  #done = false;
  #onOutput = new Set<() => void>();

  constructor(child: ChildProcess, what: string) {
    this.process = child;
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout += text;
      this.#outputChanged();
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text;
      this.#outputChanged();
    });
    this.ended = new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (status, signal) => {
        this.#done = true;
        this.#outputChanged();
        if (status === null) reject(new Error(`${what}: ended by ${signal}\n${this.#stderr}`));
        else resolve(new CliResult(status, this.#stdout, this.#stderr));
      });
    });
    // A test that disposes without waiting does not ask how it ended.
    this.ended.catch(() => undefined);
  }

  get stdout(): string {
    return this.#stdout;
  }

  get stderr(): string {
    return this.#stderr;
  }

  /** Waits until standard output and error together match; rejects after `timeoutMs` or when the command ends first. */
  async output(pattern: RegExp, timeoutMs = 20_000): Promise<void> {
    const matches = () => pattern.test(this.#stdout) || pattern.test(this.#stderr);
    await new Promise<void>((resolve, reject) => {
      const finish = (error?: Error) => {
        clearTimeout(timer);
        this.#onOutput.delete(look);
        if (error === undefined) resolve();
        else reject(error);
      };
      const fail = (why: string) => {
        finish(new Error(`${why} before ${pattern}\nstdout: ${this.#stdout}\nstderr: ${this.#stderr}`));
      };
      const look = () => {
        if (matches()) finish();
        else if (this.#done) fail('the command ended');
      };
      const timer = setTimeout(() => {
        fail(`${timeoutMs} ms passed`);
      }, timeoutMs);
      this.#onOutput.add(look);
      look();
    });
  }

  /** Sends a signal and waits for the end. */
  async stop(signal: NodeJS.Signals = 'SIGINT'): Promise<CliResult> {
    this.process.kill(signal);
    return this.ended;
  }

  [Symbol.dispose](): void {
    if (!this.#done) this.process.kill('SIGKILL');
  }

  #outputChanged(): void {
    for (const listener of [...this.#onOutput]) listener();
  }
}

/** Starts `netkit args…` and returns at once; `await started.ended` for a whole run beside other work. */
export function startNetkit(args: readonly string[], options: Omit<CliOptions, 'timeout'> = {}): RunningCli {
  const { input, cwd, netns } = options;
  const child = withNetns(netns?.handle, () =>
    spawn(process.execPath, [netkitPath, ...args], {
      env: environment(options.env),
      stdio: ['pipe', 'pipe', 'pipe'],
      ...(cwd === undefined ? {} : { cwd }),
    }),
  );
  // A command that ends before it read its input is no fault of the test.
  child.stdin.on('error', () => undefined);
  child.stdin.end(input ?? '');
  return new RunningCli(child, `netkit ${args.join(' ')}`);
}

function environment(more: Readonly<Record<string, string>> = {}): Record<string, string> {
  const clean: Record<string, string> = {};
  for (const [name, value] of Object.entries(process.env)) {
    const own = name.startsWith('NETKIT_') && name !== 'NETKIT_TEST_RUN';
    const outer = own || name.startsWith('VITEST') || name === 'NODE_ENV' || name === 'FORCE_COLOR';
    if (!outer && value !== undefined) clean[name] = value;
  }
  return { ...clean, ...more };
}
