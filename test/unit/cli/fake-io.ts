import { PassThrough } from 'node:stream';
import type { Io, OutputStream } from '../../../src/cli/io.js';

interface FakeOutput extends OutputStream {
  isTTY: boolean;
  columns: number;
}

/** A command line's outside that keeps what is written. */
export class FakeIo implements Io {
  readonly stdin: PassThrough & { isTTY?: boolean } = new PassThrough();
  readonly env: Record<string, string>;
  readonly interrupt = new AbortController();
  readonly stdout: FakeOutput;
  readonly stderr: FakeOutput;
  out = '';
  err = '';

  constructor({ terminal = false, env = {} }: { terminal?: boolean; env?: Record<string, string> } = {}) {
    this.env = env;
    this.stdin.isTTY = terminal;
    const stream = (keep: (text: string) => void): FakeOutput => ({
      isTTY: terminal,
      columns: 80,
      write: (chunk, done) => {
        keep(typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString());
        if (done !== undefined) queueMicrotask(done);
        return true;
      },
    });
    this.stdout = stream((text) => {
      this.out += text;
    });
    this.stderr = stream((text) => {
      this.err += text;
    });
  }

  get signal(): AbortSignal {
    return this.interrupt.signal;
  }
}
