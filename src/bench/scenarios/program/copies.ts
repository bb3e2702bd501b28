/**
 * Where a copy of a program lies in memory makes it faster or slower by some percent: the kernel puts each at random into its
 * cache lines. So one copy says little of a program, and a comparison of two copies mostly where those lie. A fresh copy for
 * each slice makes that a part of the noise, which is measured, and not of the result.
 */
import type { Scope } from '../../../base/scope.js';
import type { Program } from '../../../ebpf/program.js';

/** One copy, with all that is loaded with it. */
export interface Copy extends Disposable {
  readonly program: Program;
}

/** How a program is loaded. */
export interface Loading {
  load(): Copy;
  /** Whether there is a fresh copy for each slice. */
  readonly isRenewed: boolean;
}

/** Beside the time of a slice, loading may take so much of it; what takes longer is loaded once. */
const mostLoadingShare = 0.3;

export function isQuickToLoad(loadSeconds: number, sliceSeconds: number): boolean {
  return loadSeconds <= sliceSeconds * mostLoadingShare;
}

/** The copy that a variant measures. */
export class Copies {
  readonly #loading: Loading;
  #copy: Copy;

  /** @param scope ends the last one */
  constructor(scope: Scope, loading: Loading) {
    this.#loading = loading;
    this.#copy = loading.load();
    scope.defer(() => this.#copy[Symbol.dispose]());
  }

  get program(): Program {
    return this.#copy.program;
  }

  /** Another one, if that is meant. The former goes when it is there: its place falls to another variant's next. */
  renew(): void {
    if (!this.#loading.isRenewed) return;
    const former = this.#copy;
    this.#copy = this.#loading.load();
    former[Symbol.dispose]();
  }
}
