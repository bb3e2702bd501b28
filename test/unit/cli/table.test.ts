import { describe, expect, it } from 'vitest';
import { actions } from '../../../src/cli/actions.js';
import { locate } from '../../../src/cli/locate.js';
import { parse } from '../../../src/cli/parse.js';
import { allOptions } from '../../../src/cli/table/common.js';
import { chapters, commands, groups } from '../../../src/cli/table/index.js';

describe('the command table', () => {
  it('has the commands of this release and no others', () => {
    expect(commands.map(({ name }) => name).sort()).toEqual([
      'adopt',
      'apply',
      'attach',
      'batch',
      'bench chain',
      'bench cli',
      'bench compare',
      'bench drop',
      'bench latency',
      'bench maps',
      'bench probes',
      'bench program',
      'bench render',
      'bench rules',
      'bench sockmap',
      'bench upgrade',
      'btf dump',
      'btf list',
      'build',
      'completion',
      'confirm',
      'delete',
      'detach',
      'diff',
      'doctor',
      'export',
      'feature',
      'gen types',
      'gen vmlinux',
      'inspect',
      'link list',
      'link show',
      'link update',
      'list',
      'load',
      'map copy',
      'map create',
      'map delete',
      'map diff',
      'map dump',
      'map export',
      'map freeze',
      'map get',
      'map import',
      'map list',
      'map lookup',
      'map peek',
      'map pin',
      'map pop',
      'map push',
      'map show',
      'map update',
      'map watch',
      'net',
      'off',
      'plan',
      'prog dump',
      'prog list',
      'prog profile',
      'prog run',
      'prog show',
      'reconcile',
      'recover',
      'replace',
      'rollback',
      'service install',
      'service show',
      'service uninstall',
      'snapshot',
      'status',
      'trace',
      'unload',
      'upgrade',
      'verify',
      'version',
    ]);
  });

  it('names every command once, and shows each in one chapter', () => {
    expect(chapters.flatMap((chapter) => chapter.commands)).toEqual(commands);
    expect(new Set(commands.map(({ name }) => name)).size).toBe(commands.length);
  });

  it('has a group for the first word of every command of two', () => {
    const first = commands.filter(({ name }) => name.includes(' ')).map(({ name }) => name.split(' ')[0]);
    expect([...new Set(first)].sort()).toEqual(groups.map(({ name }) => name).sort());
  });

  it('has a body for every command', () => {
    expect(Object.keys(actions).sort()).toEqual(commands.map(({ name }) => name).sort());
  });

  describe.each(commands.map((row) => [row.name, row] as const))('on %s', (_, row) => {
    it('gives no option two meanings', () => {
      const words = allOptions(row).flatMap(({ long, short }) => [
        long,
        ...(short === undefined ? [] : [short]),
      ]);
      expect(new Set(words).size).toBe(words.length);
    });

    it('has optional arguments after those that are required, and one of many only last', () => {
      const { arguments: entries } = row;
      const firstOptional = entries.findIndex(({ required }) => !required);
      if (firstOptional >= 0)
        expect(entries.slice(firstOptional).some(({ required }) => required)).toBe(false);
      expect(entries.slice(0, -1).some(({ variadic }) => variadic)).toBe(false);
    });

    it('lets options conflict only with options that it has', () => {
      const known = row.options.map(({ long }) => long);
      for (const { conflicts = [] } of row.options)
        expect(known).toEqual(expect.arrayContaining([...conflicts]));
    });

    it('gives every choice a kind and every default a place among the choices', () => {
      for (const { value, default: preset } of allOptions(row)) {
        if (value?.kind === 'choice') expect(value.choices).toBeDefined();
        if (value?.choices !== undefined && preset !== undefined) expect(value.choices).toContain(preset);
      }
    });

    it('is written as the house writes: sentences end, summaries do not', () => {
      expect(row.summary).toMatch(/^[a-z].*[^.]$/);
      const sentences = [
        ...row.about,
        ...row.arguments.map(({ about }) => about),
        ...allOptions(row).map(({ about }) => about),
        ...(row.exits ?? []).map(({ about }) => about),
        ...row.examples.map(({ about }) => about),
      ];
      for (const sentence of sentences) expect(sentence).toMatch(/\.$/);
      for (const text of sentences) expect(text.split('`').length % 2).toBe(1);
    });

    it('has examples that parse', () => {
      expect(row.examples.length).toBeGreaterThan(0);
      for (const { command } of row.examples) {
        const [, words = ''] = /netkit ([^|>)]*)/.exec(command) ?? [];
        const argv = [...words.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? '');
        const request = locate(argv);
        if (request.kind !== 'command') throw new Error(`'${command}' is no command`);
        expect(request.row).toBe(row);
        parse(row, request.rest);
      }
    });
  });
});
