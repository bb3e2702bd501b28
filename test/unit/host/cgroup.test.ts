import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { cgroupPath, cgroupRoot, findCgroup } from '../../../src/host/cgroup.js';
import { parseMountinfo } from '../../../src/host/mountinfo.js';

const mount = (root: string, point: string, type = 'cgroup2') =>
  `32 31 0:29 ${root} ${point} rw - ${type} none rw`;
const mounts = parseMountinfo(
  [mount('/', '/sys/fs/cgroup/unified'), mount('/', '/sys/fs/cgroup/cpu', 'cgroup')].join('\n'),
);
const folder = mkdtempSync(join(tmpdir(), 'netkit-test-'));
afterAll(() => rmSync(folder, { recursive: true }));

it.each([
  ['/sys/fs/cgroup/unified', '/'],
  ['/sys/fs/cgroup/unified/', '/'],
  ['/sys/fs/cgroup/unified/a/b', '/a/b'],
  ['/sys/fs/cgroup/unified/a/../b/', '/b'],
  ['/sys/fs/cgroup/unifiedly', '/sys/fs/cgroup/unifiedly'],
  ['/sys/fs/cgroup/cpu/a', '/sys/fs/cgroup/cpu/a'],
  ['/system.slice', '/system.slice'],
  ['system.slice/x.service', '/system.slice/x.service'],
  ['../../etc', '/etc'],
])('%s is the cgroup %s', (text, path) => {
  expect(cgroupPath(text, mounts)).toBe(path);
});

it('without a tree there is no cgroup', () => {
  expect(() => findCgroup('/a', [])).toThrow(expect.objectContaining({ code: 'unsupported' }));
});

it('what is no directory of the tree is no cgroup, and what is not there is not found', () => {
  const here = parseMountinfo(mount('/', folder));
  expect(cgroupRoot(here)).toBe(folder);
  // It says that it is one, and is not.
  expect(() => findCgroup(folder, here)).toThrow(expect.objectContaining({ code: 'not-found' }));
  expect(() => findCgroup(tmpdir(), here)).toThrow(
    expect.objectContaining({ code: 'usage', hint: `the cgroup v2 tree is at ${folder}` }),
  );
  expect(() => findCgroup('/no/such', here)).toThrow(expect.objectContaining({ code: 'not-found' }));
});
