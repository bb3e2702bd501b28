/** The outside of a command line, so that tests can run `main` in their own process. */

export interface OutputStream {
  /** `done` is called when the bytes are on their way, and may be used for something else. */
  write(chunk: string | Uint8Array, done?: (error?: Error | null) => void): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
}

export type InputStream = NodeJS.ReadableStream & { readonly isTTY?: boolean | undefined };

export interface Io {
  readonly stdin: InputStream;
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborted when the user interrupts, or nobody reads standard output any more. */
  readonly signal: AbortSignal;
}
