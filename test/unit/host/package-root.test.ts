import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { packageRoot, packageRootAbove } from '../../../src/host/package-root.js';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'netkit-root-'));
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

describe('package root', () => {
  it('is the checkout when run from the sources', () => {
    expect(`${packageRoot()}/`).toBe(fileURLToPath(new URL('../../../', import.meta.url)));
  });

  it('is the installed package, not the project around it nor a package.json between', () => {
    const installed = join(directory, 'node_modules/netkit');
    mkdirSync(join(installed, 'dist/chunks'), { recursive: true });
    writeFileSync(join(directory, 'package.json'), '{"name":"project"}');
    writeFileSync(join(installed, 'package.json'), '{"name":"netkit"}');
    writeFileSync(join(installed, 'dist/package.json'), '{"type":"module"}');
    expect(packageRootAbove(join(installed, 'dist/chunks'))).toBe(installed);
  });

  it('is an error where there is none', () => {
    expect(() => packageRootAbove(directory)).toThrow('the files of the netkit package are not found');
  });
});
