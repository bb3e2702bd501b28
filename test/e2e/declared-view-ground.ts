/** Where tests look at declared functions: manifests about the defended interface, and what `status`, `diff` and `export` say. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { Scope } from '../../src/base/scope.js';
import { documents } from '../../src/cli/schema/documents.js';
import type { DocumentOf } from '../../src/cli/schema/index.js';
import { kernelLacks } from '../support/known-kernels.js';
import { documentOf, type Ground, makeGround } from './ground.js';

/** The hook of programs behind the driver, where the kernel has one with an order. */
export const ingress = kernelLacks('tcx') === undefined ? 'tcx/ingress' : 'tc/ingress';

export type FunctionStatus = DocumentOf<'status'>['functions'][number];
export type DriftRow = DocumentOf<'diff'>['subjects'][number]['rows'][number];

export class ViewGround implements Disposable {
  readonly ground: Ground;
  /** Of the manifests. */
  readonly folder: string;
  readonly #scope: Scope;

  constructor() {
    using scope = new Scope();
    this.ground = scope.use(makeGround());
    this.folder = join(this.ground.bpffs.folder, 'manifests');
    mkdirSync(this.folder);
    this.#scope = scope.move();
  }

  /** Writes a file. @returns its path */
  writes(name: string, text: string): string {
    const path = join(this.folder, name);
    writeFileSync(path, text);
    return path;
  }

  /** Writes a manifest and applies it. `ETH` and `NS` stand for the defended interface, `IN` for {@link ingress}. @returns its path */
  applies(name: string, text: string, ...more: string[]): string {
    const path = this.declares(name, text);
    this.ground.does('apply', '-f', path, ...more);
    return path;
  }

  /** {@link applies}, only written. */
  declares(name: string, text: string): string {
    return this.writes(name, this.filled(text));
  }

  filled(text: string): string {
    const { ifname, netns } = this.ground;
    const meanings: Readonly<Record<string, string>> = { ETH: ifname, NS: netns.name, IN: ingress };
    return text.replaceAll(/\b(ETH|NS|IN)\b/g, (word) => meanings[word] ?? word);
  }

  status(...names: string[]): DocumentOf<'status'> {
    return documentOf(documents.status, this.ground.does('status', ...names, '--json'));
  }

  /** One function. */
  statusOf(name: string): FunctionStatus {
    const [found] = this.status(name).functions;
    if (found === undefined) throw new Error(`no status of ${name}`);
    return found;
  }

  /** The rows of `diff`, whose exit status has to go with them. */
  diff(...words: string[]): DriftRow[] {
    const result = this.ground.netkit('diff', ...words, '--json');
    expect([0, 8], result.stderr).toContain(result.status);
    const { subjects, differences } = documentOf(documents.diff, result);
    const rows = subjects.flatMap((subject) => subject.rows);
    expect(rows.filter(({ differs }) => differs)).toHaveLength(differences);
    const isUnknown = subjects.some(({ problems }) => problems.length > 0);
    expect(result.status).toBe(differences > 0 || isUnknown ? 8 : 0);
    return rows;
  }

  /** What differs, one text a row: `field: declared | recorded | kernel`. */
  differences(...words: string[]): string[] {
    return this.diff(...words).map(
      ({ field, declared, recorded, kernel }) =>
        `${field}: ${declared ?? '-'} | ${recorded ?? '-'} | ${kernel ?? '-'}`,
    );
  }

  export(...words: string[]): DocumentOf<'export'> {
    return documentOf(documents.export, this.ground.does('export', ...words, '--json'));
  }

  pin(...parts: string[]): string {
    return join(this.ground.bpffs.root.path, 'netkit', ...parts);
  }

  [Symbol.dispose](): void {
    this.#scope[Symbol.dispose]();
  }
}

/** The firewall that comes with netkit, on the defended interface. */
export const firewall = `
apiVersion: netkit/v1
kind: NetworkFunction
metadata: { name: fw, labels: { tier: edge } }
spec:
  program: { builtin: firewall }
  globals: { default_action: pass }
  maps:
    blocklist_v4: { maxEntries: 1000, entries: { 10.0.0.0/8: { action: drop }, 10.1.0.0/16: { action: pass } } }
  attach:
    - { hook: xdp, interfaces: [ETH, "later*"], netns: NS, priority: 20 }
  metrics:
    - { map: stats, name: packets_total, type: counter, labels: [outcome], field: packets, help: Packets by outcome. }
`;

/** Two functions behind the driver, by an object file. */
export const pair = (object: string): string =>
  ['one', 'two']
    .map(
      (name) => `
apiVersion: netkit/v1
kind: NetworkFunction
metadata: { name: ${name} }
spec:
  program: { object: ${object} }
  metrics: [{ map: packets, name: seen_total, type: counter, labels: [direction] }]
`,
    )
    .join('---');

export const chain = (order: string): string => `---
apiVersion: netkit/v1
kind: Chain
metadata: { name: both, labels: { tier: edge } }
spec: { interface: ETH, netns: NS, hook: IN, functions: [${order}] }
`;
