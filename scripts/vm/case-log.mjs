// What became of each test, a line of JSON at a time, so that a machine that hangs or crashes still tells how far it was.
import { appendFileSync } from 'node:fs';
import { relative } from 'node:path';

/** A reporter for vitest. Lines are {file}, {start}, {test, state, reason, seconds, errors} and {problem}. */
export class CaseLog {
  #file;
  #wanted;

  /** @param name a regular expression: other tests are left out, and not skipped */
  constructor(file, name = '') {
    this.#file = file;
    this.#wanted = new RegExp(name);
  }

  onTestModuleQueued(module) {
    this.#write({ file: relative(process.cwd(), module.moduleId) });
  }

  onTestCaseReady(test) {
    if (!this.#isWanted(test)) return;
    this.#write({ start: nameOf(test) });
  }

  onTestCaseResult(test) {
    if (!this.#isWanted(test)) return;
    const { state, note, errors = [] } = test.result();
    this.#write({
      test: nameOf(test),
      // A test that never ran because a hook around it failed has not passed; the hook's error is told by itself.
      state: state === 'skipped' && note === undefined && wasCutOff(test) ? 'failed' : state,
      reason: note ?? /\[(needs [^\]]+)\]/.exec(test.fullName)?.[1],
      seconds: Math.round((test.diagnostic()?.duration ?? 0) / 100) / 10,
      errors: errors.map(textOf),
    });
  }

  onTestRunEnd(modules, unhandled) {
    const problems = [...unhandled];
    for (const module of modules) {
      problems.push(...module.errors());
      for (const suite of module.children.allSuites()) {
        problems.push(...suite.errors());
      }
    }
    for (const error of problems) {
      this.#write({ problem: textOf(error) });
    }
  }

  /** As vitest does, which takes names with blanks between their parts. */
  #isWanted({ fullName }) {
    return this.#wanted.test(fullName.replaceAll(' > ', ' '));
  }

  #write(record) {
    appendFileSync(this.#file, `${JSON.stringify(record)}\n`);
  }
}

function nameOf(test) {
  return `${relative(process.cwd(), test.module.moduleId)} > ${test.fullName}`;
}

function wasCutOff(test) {
  for (let around = test.parent; around !== undefined; around = around.parent) {
    if (around.errors().length > 0) {
      return true;
    }
  }
  return false;
}

function textOf({ message = '', stack = '', stacks = [] }) {
  const frame = stacks[0];
  const place =
    frame === undefined ? stack.split('\n').at(-1) : `${relative(process.cwd(), frame.file)}:${frame.line}`;
  return `${message}\n    at ${place?.trim()}`;
}
