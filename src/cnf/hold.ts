/** Attaching for as long as this process lives: nothing is pinned or recorded. */
import { NetkitError } from '../base/errors.js';
import { Scope } from '../base/scope.js';
import type { Attachment } from '../ebpf/attach/index.js';
import { type AttachRequest, planAttach } from './attach-function.js';
import { change, type EnvironmentOptions } from './environment.js';
import type { Notes } from './hooks/family.js';
import { describeTarget, familyOf } from './hooks/index.js';
import type { LinkState } from './link-state.js';

/** What this process holds. Disposing detaches it. */
export class Held implements Disposable {
  /** Where programs are attached now, or under `dryRun` would be. */
  readonly links: readonly LinkState[];
  readonly #scope: Scope;

  constructor(links: readonly LinkState[], scope: Scope) {
    this.links = links;
    this.#scope = scope;
  }

  [Symbol.dispose](): void {
    this.#scope[Symbol.dispose]();
  }
}

/**
 * Attaches as `attach` does, but nothing stays when this process has ended.
 * @throws NetkitError as `planAttach`, and `conflict` for what is attached already
 */
export async function holdAttached(options: EnvironmentOptions, request: AttachRequest): Promise<Held> {
  using scope = new Scope();
  const links: LinkState[] = [];
  await change(options, (world) => {
    const { actions, already } = planAttach(world, request);
    const [present] = already;
    if (present !== undefined) {
      throw new NetkitError(
        'conflict',
        `${request.function}/${present.program} is attached to ${describeTarget(present)} already, and stays there without --hold`,
        { hint: 'detach it first' },
      );
    }
    for (const action of actions) {
      if (action.kind !== 'attach') continue;
      links.push(action.link);
      if (options.dryRun !== true)
        holdOne(action.folder, action.link, { ...world, note: options.note }, scope);
    }
    return undefined;
  });
  return new Held(links, scope.move());
}

function holdOne(folder: string, link: LinkState, notes: Notes, scope: Scope): void {
  const family = familyOf(link);
  if (family.hold === undefined) {
    throw new NetkitError(
      'unsupported',
      `the kernel itself keeps what is on ${link.hook}: nobody can hold it`,
      {
        hint: 'leave --hold out',
      },
    );
  }
  const attachment = scope.use(family.hold(folder, link, notes));
  scope.defer(() => letGo(attachment));
}

/** At once, where the kernel can. */
function letGo(attachment: Attachment): void {
  try {
    attachment.detach();
  } catch (error) {
    // It ends with its descriptor, which is closed next.
    if (!(error instanceof NetkitError) || error.code !== 'unsupported') throw error;
  }
}
