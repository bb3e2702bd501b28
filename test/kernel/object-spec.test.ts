import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runCommand } from '../../src/host/command.js';
import { packageRoot } from '../../src/host/package-root.js';
import { ObjectSpec } from '../../src/obj/spec.js';
import { describeWith } from '../support/requirements.js';

const fixtures = join(packageRoot(), 'test', 'fixtures', 'objects');
const debian = '/usr/lib/x86_64-linux-gnu/bpf';

function objectsIn(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith('.o'))
      .map((name) => join(folder, name));
  } catch {
    return [];
  }
}

/** The names of maps and programs as libbpf has them, from the code that bpftool makes of an object. */
async function namesByLibbpf(
  path: string,
  objectName: string,
): Promise<{ maps: string[]; programs: string[] }> {
  const { stdout, stderr } = await runCommand('bpftool', ['gen', 'skeleton', path, 'name', objectName]);
  expect(stderr).not.toMatch(/Error/);
  const names = (what: string) =>
    [...stdout.matchAll(new RegExp(`s->${what}\\[\\d+\\]\\.name = "(.*)"`, 'g'))]
      .map(([, name = '']) => name)
      .sort();
  return { maps: names('maps'), programs: names('progs') };
}

describeWith(
  {
    tools: ['bpftool'],
    check: () =>
      objectsIn(debian).length === 0 ? `the objects of Debian's xdp-tools (${debian})` : undefined,
  },
  'ObjectSpec and libbpf see the same maps and programs',
  () => {
    // libbpf 1.x refuses legacy maps; before 1.5 it does not know numbers written as enums; neither loads without BTF.
    // The sections `.struct_ops.link` and `struct_ops.s`, and callbacks of newer kernels, are netkit's own to know there.
    const refused = [
      ...['legacy', 'ulong', 'nobtf', 'bigendian'],
      ...['congestion-link', 'congestion-newest', 'congestion-sleeping'],
    ].map((name) => join(fixtures, `${name}.bpf.o`));
    const accepted = [...objectsIn(fixtures), ...objectsIn(debian)].filter((path) => !refused.includes(path));

    test.each(accepted)('in %s', async (path) => {
      const spec = ObjectSpec.readSync(path);
      const theirs = await namesByLibbpf(path, spec.libbpfName.replaceAll('-', '_'));
      // libbpf calls data maps by the kernel's name, but those of custom sections by the section's.
      const isCustom = (name: string) => name.indexOf('.', 1) >= 0;
      const ours = spec.maps.map(({ kind, name, kernelName }) =>
        kind !== 'data' || isCustom(name) ? name : kernelName,
      );
      expect(ours.sort()).toEqual(theirs.maps);
      expect(spec.programs.map(({ name }) => name).sort()).toEqual(theirs.programs);
      expect(spec.licence).toBeDefined();
    });

    test.each(objectsIn(debian))('%s has no line of source that is unknown, as far as it has BTF', (path) => {
      const spec = ObjectSpec.readSync(path);
      for (const { name, problem } of spec.programs) {
        expect(problem).toBeUndefined();
        expect(spec.sourceLine(name, 0)?.line).toBeGreaterThan(0);
      }
    });
  },
);
