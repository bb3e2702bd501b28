/**
 * A stack of owned resources, released in reverse order (Node 20 has no `DisposableStack`).
 *
 * ```ts
 * using scope = new Scope();
 * const fd = scope.use(open());
 * return scope.move(); // hand everything over to the caller
 * ```
 */
export class Scope implements Disposable {
  #owned: Disposable[] = [];

  /** Owns `resource` until this scope ends. */
  use<T extends Disposable>(resource: T): T {
    this.#owned.push(resource);
    return resource;
  }

  /** Runs `release` when this scope ends. */
  defer(release: () => void): void {
    this.#owned.push({ [Symbol.dispose]: release });
  }

  /** Moves everything owned so far into a new scope; this one then ends without releasing it. */
  move(): Scope {
    const taken = new Scope();
    taken.#owned = this.#owned;
    this.#owned = [];
    return taken;
  }

  /** Releases all in reverse order, also when one of them throws; the first error is thrown at the end. */
  [Symbol.dispose](): void {
    const errors: unknown[] = [];
    for (const resource of this.#owned.splice(0).reverse()) {
      try {
        resource[Symbol.dispose]();
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) throw errors[0];
  }
}
