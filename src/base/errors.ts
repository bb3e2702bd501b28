/**
 * Every way in which netkit can fail, and what a shell sees of it.
 *
 * One registry gives code, exit status and a sentence for the documentation; the rest of the code only names codes.
 */
export const errorTable = {
  failed: { exit: 1, about: 'The operation failed for a reason that has no code of its own.' },
  'tool-failed': { exit: 1, about: 'A program that netkit started, such as clang, ended with an error.' },
  'compile-failed': { exit: 1, about: 'The C source does not compile; the details list the diagnostics.' },
  'bad-object': { exit: 1, about: 'The file is not an eBPF object, or it is damaged.' },
  'bad-manifest': { exit: 1, about: 'A manifest is wrong; the details list every mistake with its place.' },
  unhealthy: { exit: 1, about: 'A new generation was not healthy: what ran before is back.' },
  'bad-state': { exit: 1, about: 'A file in the state directory is damaged or written by a newer netkit.' },
  interrupted: { exit: 130, about: 'The command was interrupted and undid its own steps.' },
  usage: { exit: 2, about: 'The command line is wrong.' },
  'bad-value': { exit: 2, about: 'A key, value, global or option does not fit its type or range.' },
  'not-found': { exit: 3, about: 'A function, program, map, link, interface, key or file does not exist.' },
  'tool-missing': { exit: 3, about: 'A program that this command needs is not installed.' },
  'not-permitted': { exit: 4, about: 'A capability or a file permission is missing.' },
  conflict: { exit: 5, about: 'Something exists already, belongs to somebody else, or changed meanwhile.' },
  locked: { exit: 5, about: 'Another netkit command holds the lock.' },
  unsupported: { exit: 6, about: 'This kernel, driver or program type cannot do that.' },
  'verifier-refused': {
    exit: 7,
    about: 'The kernel’s verifier refused a program; the details carry its whole log.',
  },
} as const;

/** What kind of failure an error is: decides the exit status of the command line. */
export type ErrorCode = keyof typeof errorTable;

/** What an error says beside its message; everything is optional. */
export interface ErrorContext {
  /** What to do next, or the name that was probably meant. One line. */
  readonly hint?: string | undefined;
  /** Structured facts for `--json`: plain data only. */
  readonly details?: Readonly<Record<string, unknown>> | undefined;
  readonly cause?: unknown;
}

/** An error that a user may see: one line of what failed, on what, and why. */
export class NetkitError extends Error {
  override readonly name: string = 'NetkitError';
  readonly code: ErrorCode;
  /** What to do next, or the name that was probably meant; one line. */
  readonly hint: string | undefined;
  /** Structured facts, plain data only. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, context: ErrorContext = {}) {
    super(message, context.cause === undefined ? undefined : { cause: context.cause });
    this.code = code;
    this.hint = context.hint;
    this.details = context.details ?? {};
  }

  /** The exit status of a command that ends with this error. */
  get exitStatus(): number {
    return errorTable[this.code].exit;
  }
}

/** The text of anything that was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
