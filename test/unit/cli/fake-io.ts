import { PassThrough } from 'node:stream';
import type { Io } from '../../../src/cli/io.js';

/** A command line's outside that keeps what is written. */
export class FakeIo implements Io {
  readonly stdin: PassThrough & { isTTY?: boolean } = new PassThrough();
  readonly env: Record<string, string>;
  readonly interrupt = new AbortController();
  readonly stdout: { isTTY: boolean; columns: number; write(text: string): boolean };
  readonly stderr: { isTTY: boolean; columns: number; write(text: string): boolean };
  out = '';
  err = '';

  constructor({ terminal = false, env = {} }: { terminal?: boolean; env?: Record<string, string> } = {}) {
    this.env = env;
    this.stdin.isTTY = terminal;
    const stream = (keep: (text: string) => void) => ({
      isTTY: terminal,
      columns: 80,
      write: (text: string) => {
        keep(text);
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
