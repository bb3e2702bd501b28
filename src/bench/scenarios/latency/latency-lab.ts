/** Every hook set up, each with a wire, a client's end and a server of its own, and the loads that they are measured at. */
import { messageOf, NetkitError } from '../../../base/errors.js';
import type { BenchEnvironment } from '../../document.js';
import { goOn } from '../../go-on.js';
import { CommandLog } from '../../lab/command-log.js';
import { type Placement, place } from '../../lab/placement.js';
import { Conversation, requestPort } from '../../lab/requests/conversation.js';
import { RequestClient } from '../../lab/requests/peers.js';
import type { Spacing } from '../../lab/requests/schedule.js';
import { toolVersions } from '../../lab/tool-versions.js';
import { wireRecord } from '../../lab/wire-record.js';
import { quantity } from '../../quantity.js';
import type { Group, PrepareContext, Prepared } from '../../scenario.js';
import type { Hook, HookOptions } from './hook.js';
import { generatorLimits } from './limits.js';
import { type FoundLoad, findLoad, givenLoad } from './load-search.js';
import { curvesOf, loadGroup, metrics } from './metrics.js';
import { LatencyVariant, StandingHook, type Talk } from './variant.js';

export interface LatencyLabOptions extends HookOptions {
  /** Bytes of a request, and of its answer. */
  readonly size: number;
  readonly spacing: Spacing;
  /** Requests a second that are 100 %; what the slowest hook carries when left out. */
  readonly load: number | undefined;
}

/** Of the load that the slowest hook carries. */
const shares = [0.1, 0.5, 0.7, 0.9] as const;
const highestShare = Math.max(...shares);

const generalNotes = [
  'Requests come from a veth pair, without a network card, and both ends are processes of netkit: what a real client, card and server take comes on top.',
  'The client never sleeps, so that it is not woken late; the server does, and what it takes to wake it is in every round trip.',
  'Native XDP on a veth pair takes a packet that comes from a socket into a buffer of its own, which a network card need not do.',
] as const;

interface Stood {
  readonly hook: Hook;
  readonly conversation: Conversation;
  readonly standing: StandingHook;
}

export class LatencyLab {
  readonly #context: PrepareContext;
  readonly #options: LatencyLabOptions;
  readonly #placement: Placement;
  readonly #log = new CommandLog();
  readonly #stood: Stood[] = [];
  readonly #leftOut: string[] = [];

  /** @throws NetkitError `unsupported` on a machine with one CPU */
  constructor(context: PrepareContext, options: LatencyLabOptions) {
    this.#context = context;
    this.#options = options;
    this.#placement = place(context.scope);
    if (this.#placement.isShared) {
      throw new NetkitError(
        'unsupported',
        'there is one CPU, which a client that never sleeps leaves nothing of',
        {
          hint: 'run it where this process may use two CPUs',
        },
      );
    }
  }

  /** @throws NetkitError when no hook can be set up or none answers, with the reason of the last */
  async prepare(hooks: readonly Hook[]): Promise<Prepared> {
    const { scope, progress } = this.#context;
    const client = await RequestClient.start(scope, this.#placement.sender);
    for (const hook of hooks) {
      goOn(this.#context.signal);
      progress(`setting up ${hook.title}`);
      await this.#tryToAdd(hook, client);
    }
    const [reference] = this.#stood;
    if (reference === undefined)
      throw new NetkitError('unsupported', 'nothing can be set up here', { hint: this.#leftOut.at(-1) });
    const control = await this.#stand(reference.hook, client);
    const found = await this.#find();
    const groups = this.#groups(found, control.standing);
    this.#stood.push(control);
    return {
      groups,
      limits: (measured) => generatorLimits(found.generator, measured),
      environment: () => this.#environment(hooks),
      busySeconds: () =>
        this.#stood.reduce((sum, { conversation }) => {
          const { napi, server } = conversation.busyNs();
          return sum + napi + server;
        }, client.busyNs()) / 1e9,
      complete: (measured) => [curvesOf(measured), ...measured.map(loadGroup)],
      notes: () => [...this.#leftOut, ...loadNotes(found), ...this.#ownNotes(), ...generalNotes],
    };
  }

  async #tryToAdd(hook: Hook, client: RequestClient): Promise<void> {
    try {
      this.#stood.push(await this.#stand(hook, client));
    } catch (error) {
      if (!(error instanceof NetkitError) || error.code === 'interrupted') throw error;
      this.#leftOut.push(`Left out: ${hook.title}, since ${messageOf(error)}.`);
    }
  }

  async #stand(hook: Hook, client: RequestClient): Promise<Stood> {
    const { scope } = this.#context;
    const { family, size, rules } = this.#options;
    const log = this.#log;
    const cpu = this.#placement.receiver;
    const conversation = await Conversation.begin(scope, { family, protocol: 'udp', size, cpu, log });
    const seen = hook.setUp({ wire: conversation.wire, scope, log, family, rules, port: requestPort });
    const description = hook.description({ family, rules });
    const talk: Talk = {
      run: (loop) => conversation.run(client, loop),
      busyNs: () => conversation.busyNs(),
    };
    const standing = new StandingHook({ ...hook, description }, { talk, seen });
    return { hook, conversation, standing };
  }

  /** Of those that answer. */
  async #find(): Promise<FoundLoad> {
    const answering: StandingHook[] = [];
    let said = '';
    for (const { standing } of this.#stood) {
      goOn(this.#context.signal);
      const failed = (await standing.check()).find(({ ok }) => !ok);
      if (failed === undefined) answering.push(standing);
      else said = `${standing.title}: ${failed.detail}`;
    }
    const [first, ...others] = answering;
    if (first === undefined) throw new NetkitError('failed', 'no requests are answered here', { hint: said });
    const { load } = this.#options;
    if (load !== undefined) return givenLoad(first, load);
    this.#context.progress('looking for the load that the slowest carries');
    return findLoad([first, ...others], highestShare, () => goOn(this.#context.signal));
  }

  #groups({ rate }: FoundLoad, control: StandingHook): Group[] {
    const { spacing } = this.#options;
    return shares.map((share): Group => {
      const load = { share, rate: rate * share, spacing, seed: this.#context.seed };
      const variants = this.#stood.map(
        ({ standing }, index) => new LatencyVariant(standing, load, index === 0 ? 'reference' : 'variant'),
      );
      return {
        name: `load-${Math.round(share * 100)}`,
        title: `How long is a round trip at ${Math.round(share * 100)} % of the load, ${quantity(load.rate, 'requests/s')}?`,
        axis: null,
        metrics,
        variants: [...variants, new LatencyVariant(control, load, 'control')],
      };
    });
  }

  #environment(hooks: readonly Hook[]): Partial<BenchEnvironment> {
    const [first] = this.#stood;
    const { sender, receiver } = this.#placement;
    return {
      tools: toolVersions(hooks.map(({ tool }) => tool)),
      interfaces: wireRecord(first?.conversation.wire, 'hook', 'sockets'),
      placement: [
        {
          what: `the client${first?.conversation.isAhead === true ? ' (SCHED_RR while it sends)' : ''}, and netkit`,
          cpus: [sender],
        },
        {
          what:
            first?.conversation.isAhead === true
              ? 'the NAPI threads of the receiving interfaces (SCHED_RR, priority 2), and the servers (priority 1)'
              : 'the NAPI threads of the receiving interfaces, and the servers',
          cpus: [receiver],
        },
      ],
      commands: this.#log.lines,
    };
  }

  #ownNotes(): string[] {
    const isAhead = this.#stood.every(({ conversation }) => conversation.isAhead);
    return isAhead
      ? []
      : [
          'This user may not let processes go before others (CAP_SYS_NICE): whatever else runs here is in the figures.',
        ];
  }
}

function loadNotes({ rate, by, capacities }: FoundLoad): string[] {
  const each = capacities.map(({ title, rate: own }) => `${title} ${quantity(own, 'requests/s')}`);
  const busy = each.length === 0 ? '' : ` With 64 requests on their way at any time: ${each.join(', ')}.`;
  return [`100 % of the load are ${quantity(rate, 'requests/s')}, which is ${by}.${busy}`];
}
