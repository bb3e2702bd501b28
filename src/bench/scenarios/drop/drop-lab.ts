/** The whole ladder, set up: a wire for each rung, and one more for the reference measured again. */
import { messageOf, NetkitError } from '../../../base/errors.js';
import { Scope } from '../../../base/scope.js';
import type { BenchEnvironment, BenchGroup } from '../../document.js';
import { goOn } from '../../go-on.js';
import { CommandLog } from '../../lab/command-log.js';
import { LabNetwork } from '../../lab/network.js';
import { type Placement, place } from '../../lab/placement.js';
import { Sender, type Traffic } from '../../lab/sender.js';
import { toolVersions } from '../../lab/tool-versions.js';
import { wireRecord } from '../../lab/wire-record.js';
import type { PrepareContext, Prepared } from '../../scenario.js';
import type { Standing } from './flood.js';
import { DropsInTurns } from './in-turns.js';
import { costGroup, metrics, rateGroup, senderLimit } from './metrics.js';
import type { Rung } from './rung.js';
import { DropVariant } from './variant.js';

/**
 * How long a rung is measured in a block, in turns or, if it takes none, at once. CPUs that others share may change their pace
 * several times a second: what is compared has to be close together. The shortest is thousands of packets, beside 256 that a
 * veth's queue holds.
 */
export const floodSlices = { sliceSeconds: 0.25, shortestSliceSeconds: 0.008 } as const;

/** What is asked of the rungs of a ladder, and how they are compared. */
export interface Ladder {
  readonly title: string;
  readonly axis: BenchGroup['axis'];
  /** What the others are compared with: the first of these that stands, or else the first that stands at all. */
  readonly references: readonly string[];
  /** One more that is set up twice, beside the reference. */
  readonly twice?: (reference: Rung, standing: readonly Rung[]) => Rung | undefined;
  readonly complete: (group: BenchGroup) => BenchGroup[];
}

/** The whole ladder of `netkit bench drop`. */
const dropLadder: Ladder = {
  title: 'How many packets a second does it drop?',
  axis: null,
  references: ['tc', 'tcx', 'iptables-raw', 'nft-ingress'],
  complete: (group) => [rateGroup(group), costGroup(group)],
};

/** One that can be set up once more. */
interface Stood extends Standing {
  readonly rung: Rung;
}

const generalNotes = [
  'Packets come from a veth pair, without a network card: there a driver and its hardware set other limits.',
  "Rates are of one CPU at the receiver, which does nothing else; the sender's CPU is another.",
] as const;

export class DropLab {
  readonly #context: PrepareContext;
  readonly #traffic: Traffic;
  readonly #placement: Placement;
  readonly #log = new CommandLog();
  readonly #network: LabNetwork;
  readonly #sender: Sender;
  readonly #standing: Stood[] = [];
  /** Why, by title. */
  readonly #leftOut = new Map<string, string>();

  /** @throws NetkitError `unsupported`, `not-permitted` */
  constructor(context: PrepareContext, traffic: Traffic) {
    const { scope } = context;
    this.#context = context;
    this.#traffic = traffic;
    this.#placement = place(scope);
    this.#sender = new Sender(scope, traffic);
    const { receiver: cpu } = this.#placement;
    this.#network = new LabNetwork(scope, { family: traffic.family, cpu, log: this.#log });
  }

  /** @throws NetkitError when no rung stands, with the reason of the last */
  async prepare(rungs: readonly Rung[], ladder: Ladder = dropLadder): Promise<Prepared> {
    for (const rung of rungs) {
      if (rung.series !== undefined && this.#leftOut.has(rung.series)) continue;
      goOn(this.#context.signal);
      this.#context.progress(`setting up ${rung.title}`);
      await this.#tryToAdd(rung);
    }
    const variants = await this.#variants(ladder);
    const together = new DropsInTurns(variants, this.#sender);
    const { title, axis } = ladder;
    return {
      groups: [{ name: 'rate', title, axis, metrics, variants, together }],
      limits: senderLimit,
      environment: () => this.#environment(rungs),
      busySeconds: () => this.#standing.reduce((sum, { wire }) => sum + (wire.napi.busyNs() ?? 0), 0) / 1e9,
      complete: (groups) => groups.flatMap((group) => ladder.complete(group)),
      notes: () => this.#notes(),
    };
  }

  async #tryToAdd(rung: Rung): Promise<void> {
    try {
      this.#standing.push(await this.#stand(rung));
    } catch (error) {
      if (!(error instanceof NetkitError) || error.code === 'interrupted') throw error;
      const { series } = rung;
      const isFirst = !this.#standing.some((each) => each.rung.series === series);
      this.#leftOut.set(series !== undefined && isFirst ? series : rung.title, messageOf(error));
    }
  }

  /** @throws NetkitError when it does not stand */
  async #stand(rung: Rung): Promise<Stood> {
    const { scope } = this.#context;
    const { family, captured } = this.#traffic;
    const unfit = captured === undefined ? undefined : rung.unfit?.(captured);
    if (unfit !== undefined) throw new NetkitError('unsupported', unfit);
    rung.require?.();
    const wire = await this.#network.wire();
    const packets = captured === undefined ? { family } : { family, captured };
    const sink = rung.setUp({ wire, scope, log: this.#log, ...packets, cpu: this.#placement.receiver });
    for (let more = rung.rehearsals?.() ?? 0; more > 0; more -= 1) await this.#rehearse(rung);
    return { rung, wire, sink };
  }

  async #rehearse(rung: Rung): Promise<void> {
    using scope = new Scope();
    const { family } = this.#traffic;
    const log = new CommandLog();
    const { receiver: cpu } = this.#placement;
    const wire = await new LabNetwork(scope, { family, cpu, log }).wire();
    rung.setUp({ wire, scope, log, family, cpu });
  }

  async #variants({ references, twice }: Ladder): Promise<DropVariant[]> {
    const reference = this.#reference(references);
    const standing = [...this.#standing];
    const again = await this.#again(reference.rung);
    const variants = standing.map(
      (each) => new DropVariant(each, this.#sender, each === reference ? 'reference' : 'variant'),
    );
    variants.push(new DropVariant(again, this.#sender, 'control'));
    const other = twice?.(
      reference.rung,
      standing.map(({ rung }) => rung),
    );
    if (other !== undefined)
      variants.push(new DropVariant(await this.#again(other), this.#sender, 'variant', true));
    return variants;
  }

  async #again(rung: Rung): Promise<Stood> {
    const stood = await this.#stand(rung);
    this.#standing.push(stood);
    return stood;
  }

  #reference(references: readonly string[]): Stood {
    const byName = (name: string) => this.#standing.find(({ rung }) => rung.name === name);
    const [reference] = [...references.map(byName), ...this.#standing].filter((each) => each !== undefined);
    if (reference !== undefined) return reference;
    throw new NetkitError('unsupported', 'no rung can be set up here', { hint: this.#whyLeftOut().at(-1) });
  }

  #environment(rungs: readonly Rung[]): Partial<BenchEnvironment> {
    return {
      tools: toolVersions(rungs.map(({ tool }) => tool)),
      interfaces: wireRecord(this.#standing[0]?.wire, 'rung', 'flood'),
      placement: [...this.#placement.record],
      commands: this.#log.lines,
    };
  }

  #whyLeftOut(): string[] {
    return [...this.#leftOut].map(([title, reason]) => `Left out: ${title}, since ${reason}.`);
  }

  #notes(): string[] {
    const shared = 'There is one CPU, which sender and receiver share: the figures are of both together.';
    const { captured } = this.#traffic;
    return [
      ...this.#whyLeftOut(),
      ...(this.#placement.isShared ? [shared] : []),
      ...(captured === undefined
        ? []
        : [`Sent were ${captured.text}, in turn, with other Ethernet addresses.`]),
      ...generalNotes,
    ];
  }
}
