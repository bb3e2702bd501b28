/**
 * What netkit knows of one family of hooks: how the command line and a program's section lead there, and how an attachment
 * is planned, made, looked after, swapped and taken back. Each family is one file in this folder, named in `index.ts`;
 * nothing else tells kinds of attachments apart.
 */

import type { Hook, netfilterProtocols, netfilterStages } from '../../base/hook-names.js';
import type { Attachment } from '../../ebpf/attach/index.js';
import type { LinkInfo } from '../../ebpf/link.js';
import type { Order } from '../../ebpf/order.js';
import type { ObjectSpec } from '../../obj/spec.js';
import type { XdpVerdict } from '../../obj/xdp-dispatcher/actions.js';
import type { World } from '../environment.js';
import type { FamilyName, LinkState, XdpModeChoice } from '../link-state.js';
import type { Place } from '../order.js';
import type { FunctionState } from '../state.js';
import type { StateStore } from '../store.js';
import type { Where } from '../targets/namespace.js';

/** What `attach` may be told beside the target. Each family lists those that mean something to it. */
export interface HookOptions {
  /** For XDP; `auto` when left out. */
  readonly mode?: XdpModeChoice | undefined;
  /** For netfilter: the packets of which protocol. */
  readonly family?: (typeof netfilterProtocols)[number] | undefined;
  /** For netfilter: where on their way through the machine. */
  readonly stage?: (typeof netfilterStages)[number] | undefined;
  /** Lower ones run first. For netfilter, 0 when left out; for hooks that run several programs in order, 50; for tc. */
  readonly priority?: number | undefined;
  /** For XDP: the verdicts upon which the next program of the chain runs. */
  readonly proceedOn?: readonly XdpVerdict[] | undefined;
  /** For XDP: alone on the interface, without a chain. */
  readonly direct?: true | undefined;
  /** For hooks that run several programs in order: where among them. */
  readonly place?: Place | undefined;
  /** For netfilter: the program gets whole packets, never fragments. */
  readonly defrag?: boolean | undefined;
  /** For probes and tracepoints: what `bpf_get_attach_cookie()` gives. */
  readonly cookie?: bigint | undefined;
  /** For probes in binaries: only in this process. */
  readonly pid?: number | undefined;
  /** For `sk_reuseport`: in the place of whatever program is there, which may be unknown. */
  readonly takeOver?: true | undefined;
}
export type HookOption = keyof HookOptions;

export interface HookEntry {
  readonly hook: Hook;
  /** Names of sections, as `src/obj/sections.ts` has them, whose programs go there by themselves. */
  readonly sections: readonly string[];
  /** The types of program that go there. */
  readonly types: readonly string[];
  /** What the kernel wants such a program to have been loaded for, where it wants that. */
  readonly loadedFor?: string | undefined;
}

export type StatedProgram = FunctionState['programs'][number];

/** What the words for a target mean to a family. */
export interface TargetReader {
  /**
   * `none`: there is nothing to name but a network namespace. `fixed`: the program's section named it when the program was
   * loaded, and nothing else can be.
   */
  readonly need: 'required' | 'fixed' | 'none';
  /** To be read after «attach needs a target:». */
  readonly noun: string;
  /** Whether the words have the form of one. */
  couldBe(text: string): boolean;
  /** Whether there is one; asked only where the words could be of several kinds. */
  exists(text: string, where: Where): boolean;
}

/** One program that is to be attached. */
export interface HookRequest {
  readonly world: World;
  readonly state: FunctionState;
  readonly program: StatedProgram;
  readonly hook: Hook;
  /** As the command line or else the program's section has it; always there where the family needs one. */
  readonly target: string;
  readonly where: Where;
  readonly options: HookOptions;
  /** The function's links, those that are planned beside this one included. */
  readonly links: readonly LinkState[];
}

/** A link without a name, which it gets when its place is known to be free. */
export type UnnamedLink = LinkState extends infer L ? (L extends LinkState ? Omit<L, 'name'> : never) : never;

export interface PlannedLink {
  /** May be of another family: tcx falls back to tc. */
  readonly link: UnnamedLink;
  /** A word about the way that was taken. */
  readonly note?: string | undefined;
}

/** A program that is to come into the place of one that is attached. */
export interface Replacement {
  readonly program: StatedProgram;
  /** The maps that the new object takes over, as `load --reuse` has them. */
  readonly reuse: Readonly<Record<string, string>>;
  readonly function: string;
}

export interface Notes {
  /** What is recorded of all functions. */
  readonly store: StateStore;
  /** Where functions are pinned. */
  readonly bpffs: string;
  /** The object that is being loaded, in a replacement. */
  readonly spec?: ObjectSpec | undefined;
  note(text: string, link?: string): void;
}

/** What there is of a recorded attachment. */
export interface Seen {
  /** The path of its pin, while it can be opened. */
  readonly pin: string | undefined;
  /** Undefined for what is no link, and for a link that is not there. */
  readonly info: LinkInfo | undefined;
  /** The program that runs there, whoever's it is. */
  readonly programId: number | undefined;
  readonly dead: boolean;
}

export interface HookFamily<L extends LinkState = LinkState> {
  readonly family: FamilyName & L['family'];
  readonly hooks: readonly HookEntry[];
  readonly target: TargetReader;
  /** Those of the options that mean something here. */
  readonly options: readonly HookOption[];
  /** The kernel's word for its links; `tc` for a filter. */
  readonly linkType: string;
  /** What keeps an attachment when netkit has ended: its pinned link, or the kernel by itself; where nothing does, a process holds it. */
  readonly holder: 'link' | 'kernel' | 'process';
  /**
   * How another program comes into the place of one that runs: `swap`: between two packets or events. `overlap`: both run
   * for a moment. `gap`: neither does, for a moment.
   */
  readonly replacing: 'swap' | 'overlap' | 'gap';
  /** What is swapped, by the folder of its pins; programs when left out. */
  readonly pins?: 'maps';

  /** @throws NetkitError when there is no such target, or it cannot take the program */
  plan(request: HookRequest): PlannedLink;
  /** The targets that the words stand for, where that can be more than one. @throws NetkitError `usage` */
  expand?(target: string): readonly string[];
  /** Whether a link of the same program, hook and target is in the same place; true when left out. */
  samePlace?(present: L, wanted: UnnamedLink): boolean;
  /** Refuses what is attached there in another way than is wanted. @throws NetkitError `conflict` */
  refuseOther?(present: L, options: HookOptions, around: Pick<HookRequest, 'world' | 'state'>): void;

  /** Attaches as recorded, so that it stays. @returns what was really made, which is to be recorded */
  attach(folder: string, link: L, notes: Notes): L;
  /**
   * Takes the attachment back. One that is gone already, wholly or in part, is fine; what somebody else put into its
   * place is left alone.
   */
  detach(folder: string, link: L): void;
  /**
   * Puts the program pinned at `to` where the one pinned at `from` is; done already is fine.
   * @returns what is to be recorded
   * @throws NetkitError `conflict` when somebody else changed it
   */
  swap(folder: string, link: L, from: string, to: string, notes: Notes): L;
  /** Gives it another place among the others on its hook, in place. Done already is fine. @throws NetkitError */
  rearrange?(folder: string, link: L, next: L, notes: Notes): void;
  /**
   * Attaches for as long as this process lives, or until what comes back is disposed of; nothing is pinned. Not there where
   * nobody but the kernel holds an attachment.
   */
  hold?(folder: string, link: L, notes: Notes): Attachment;
  /** Why a program of another object cannot come into the link's place: to be read after «the new object». */
  refuseReplacement?(link: L, next: Replacement): string | undefined;
  /** True while the attachment really is there. */
  isAlive(folder: string, link: L): boolean;
  look(folder: string, link: L): Seen;

  /**
   * Where the program that runs there is pinned, for what is loaded once more for its place alone: it can be swapped only by
   * another function's object.
   */
  copyPin?(folder: string, link: L): string;

  /** What is on the link's hook, where that has an order. `pin` is where {@link look} found the link. */
  seenOrder?(link: L, pin: string | undefined): Order | undefined;

  /** What stands between the hook and `of eth0`, such as ` (native)`. */
  detail(link: L): string;
  /** The link as it is to be made after a reboot, its target found again already. */
  revive?(link: L): L;
  /** What of `leaving` passes to `staying`, links of any function. @returns those of `staying`, changed or not */
  handOver?(leaving: readonly LinkState[], staying: readonly LinkState[]): LinkState[];
}
