import { expect } from 'vitest';
import { documents } from '../../src/cli/schema/documents.js';
import { Program } from '../../src/ebpf/program.js';
import type { TestBpffs } from '../support/bpffs.js';
import { leavingNothing } from '../support/kernel-state.js';
import { newerTool } from '../support/newer-tools.js';
import { bpftoolDump, documentOf, type Ground, makeGround } from './ground.js';
import { compileBeforeAll } from './objects.js';

/** Functions whose programs sign what passes, each with a mark of its own, in the order in which they run. */
export class OrderGround {
  readonly ground: Ground;
  readonly #object: string;
  readonly #program: string;
  /** The folder with the maps of the first function, which all use. */
  #maps: string | undefined;

  constructor(ground: Ground, object: string, program: string) {
    this.ground = ground;
    this.#object = object;
    this.#program = program;
  }

  /** Loads a function, with one program unless more are named. */
  load(name: string, mark: number, programs = [this.#program], bpffs: TestBpffs = this.ground.bpffs): void {
    const only = programs.flatMap((each) => ['--only', each]);
    const args = ['load', this.#object, '--name', name, '--set', `mark=${mark}`, ...only, ...this.reuse()];
    this.ground.doesWith(bpffs.env, ...args);
    this.#maps ??= `${bpffs.root.path}/netkit/${name}/maps`;
  }

  reuse(): string[] {
    if (this.#maps === undefined) return [];
    return ['count', 'marks'].flatMap((map) => ['--reuse', `${map}=${this.#maps}/${map}`]);
  }

  /** Loads it anew in place of the present one. */
  replace(name: string, mark: number): void {
    const only = ['--only', this.#program];
    this.ground.does(
      'load',
      this.#object,
      '--name',
      name,
      '--replace',
      '--set',
      `mark=${mark}`,
      ...only,
      ...this.reuse(),
    );
  }

  /** The marks of one packet, in the order in which they were written. It arrives at the defended interface. */
  marks(sendOne = () => expect(this.ground.ping(1)).toBe(1)): number[] {
    if (this.#maps === undefined) throw new Error('nothing is loaded');
    this.ground.does('map', 'update', `${this.#maps}/count`, '0', '0');
    sendOne();
    const number = (hex = '') => Buffer.from(hex, 'hex').readUInt32LE();
    const [count] = bpftoolDump(`${this.#maps}/count`);
    return bpftoolDump(`${this.#maps}/marks`)
      .map(({ value }) => number(value))
      .slice(0, number(count?.value));
  }

  /** Puts a program on tcx ingress with bpftool, behind all others. @returns its id */
  attachForeign(pinned: string): number {
    const { bpffs, ifname, netns } = this.ground;
    using program = Program.fromPin(`${bpffs.root.path}/netkit/${pinned}`);
    const { id } = program.info();
    newerTool('bpftool', ['net', 'attach', 'tcx_ingress', 'id', String(id), 'dev', ifname], netns);
    return id;
  }

  /** The words that attach a function to the defended interface. */
  attaching(name: string, ...more: string[]): string[] {
    return ['attach', name, ...this.ground.place, ...more];
  }

  /** The one link of a function, by a reference. */
  link(name: string): string {
    return `${name}/${this.ground.listed(name).links[0]?.name}`;
  }

  /** What `link show` says of its order. */
  order(name: string): unknown {
    const shown = this.ground.does('link', 'show', this.link(name), '--json');
    return documentOf(documents['link show'], shown).order;
  }
}

/** Tests on functions `a`, `b`, … that sign with 1, 2, …; nothing of it is left behind. For the top of a test file. */
export function orderTests(
  program: string,
): (count: number, work: (order: OrderGround, ground: Ground) => void | Promise<void>) => Promise<void> {
  let object = '';
  compileBeforeAll(async (objects) => {
    object = await objects.compile('test/fixtures/order.bpf.c');
  });
  return async (count, work) =>
    leavingNothing(async () => {
      using ground = makeGround();
      const order = new OrderGround(ground, object, program);
      for (let mark = 1; mark <= count; mark++) order.load('abcdefghij'.charAt(mark - 1), mark);
      await work(order, ground);
      ground.does('unload', '--all', '--yes');
    });
}
