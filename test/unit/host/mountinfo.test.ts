import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cgroupRoot } from '../../../src/host/cgroup.js';
import { parseMountinfo } from '../../../src/host/mountinfo.js';
import { bpffsMounts } from '../../../src/host/mounts.js';

const hybrid = `23 27 0:22 / /sys rw,relatime - sysfs sysfs rw
27 1 254:0 / / rw,relatime shared:1 master:2 - ext4 /dev/vda rw,discard
32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
50 27 0:40 / /tmp/with\\040space\\011tab\\134back rw - bpf bpf rw,mode=700
51 23 0:41 / /sys/fs/bpf rw,nosuid,nodev,noexec,relatime shared:9 - bpf bpf rw,mode=700
52 27 0:4 net:[4026532177] /run/netns/blue rw - nsfs nsfs rw
`;

describe('mountinfo', () => {
  it('reads every field, with and without optional ones', () => {
    const mounts = parseMountinfo(hybrid);
    expect(mounts).toHaveLength(7);
    expect(mounts[1]).toEqual({
      id: 27,
      parentId: 1,
      root: '/',
      mountPoint: '/',
      options: ['rw', 'relatime'],
      type: 'ext4',
      source: '/dev/vda',
    });
    expect(mounts[6]?.root).toBe('net:[4026532177]');
  });

  it('undoes the escapes of mount points', () => {
    expect(bpffsMounts(parseMountinfo(hybrid))).toEqual(['/tmp/with space\ttab\\back', '/sys/fs/bpf']);
  });

  it('finds the cgroup v2 tree beside version 1 hierarchies', () => {
    expect(cgroupRoot(parseMountinfo(hybrid))).toBe('/sys/fs/cgroup/unified');
  });

  it('prefers the whole cgroup tree to a part that is mounted earlier', () => {
    const text =
      '60 1 0:38 /pod /pod rw - cgroup2 cgroup2 rw\n61 1 0:38 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw';
    expect(cgroupRoot(parseMountinfo(text))).toBe('/sys/fs/cgroup');
  });

  it('finds no cgroup v2 tree where there is none', () => {
    expect(
      cgroupRoot(parseMountinfo('32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu')),
    ).toBeUndefined();
  });

  it('reads back any mount point that the kernel escapes', () => {
    const escapeField = (text: string) =>
      text.replace(/[ \t\n\\#]/g, (sign) => `\\${sign.charCodeAt(0).toString(8).padStart(3, '0')}`);
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...' \t\n\\#/a0-é') }), (name) => {
        const line = `50 27 0:40 / /${escapeField(name)} rw - bpf bpf rw`;
        expect(parseMountinfo(line)[0]?.mountPoint).toBe(`/${name}`);
      }),
    );
  });

  it('never fails on other text', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(() => parseMountinfo(text)).not.toThrow();
      }),
    );
  });
});
