import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { makeBpffs } from '../support/bpffs.js';
import { netkit } from '../support/cli.js';
import { leavingNothing } from '../support/kernel-state.js';
import { describeAsRoot } from '../support/requirements.js';

describeAsRoot('a function that was loaded on another bpffs', () => {
  it('is found by every command that reads, as the lists show it', async () => {
    await leavingNothing(() => {
      using there = makeBpffs();
      using here = makeBpffs();
      const both = { NETKIT_STATE_DIR: there.stateDir, NETKIT_BPFFS: here.root.path };
      const loaded = netkit(['load', 'builtin:firewall', '--name', 'fw'], { env: there.env });
      expect(loaded.status, loaded.stderr).toBe(0);
      for (const words of [
        ['list', 'fw'],
        ['map', 'list', 'fw'],
        ['map', 'update', 'fw/blocklist_v4', '10.0.0.0/8', 'drop'],
        ['map', 'get', 'fw/blocklist_v4', '10.0.0.0/8'],
        ['map', 'dump', 'fw/blocklist_v4'],
        ['map', 'show', 'fw/stats'],
        ['prog', 'show', 'fw'],
        ['prog', 'run', 'fw', '--hex', '00'.repeat(14)],
        ['unload', 'fw'],
      ]) {
        const result = netkit(words, { env: both });
        expect(`${result.status} ${result.stderr}`, words.join(' ')).toBe('0 ');
      }
    });
  });
});

const storageSource = `#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, int);
} storage SEC(".maps");
SEC("xdp") int pass_all(struct xdp_md *ctx)
{
	return ctx->data ? XDP_PASS : XDP_DROP;
}
char LICENSE[] SEC("license") = "GPL";
`;

describeAsRoot('a map whose keys are open files', () => {
  it('is refused: a number would name a descriptor of netkit itself', async () => {
    await leavingNothing(async () => {
      using bpffs = makeBpffs();
      const source = join(bpffs.folder, 'storage.bpf.c');
      writeFileSync(source, storageSource);
      const object = join(bpffs.folder, 'storage.bpf.o');
      for (const words of [
        ['build', source, '-o', object],
        ['load', object],
      ]) {
        const result = netkit(words, { env: bpffs.env });
        expect(`${result.status} ${result.stderr}`).toBe('0 ');
      }
      const update = netkit(['map', 'update', 'storage/storage', '0', '0'], { env: bpffs.env });
      expect(update.status).toBe(2);
      expect(update.stderr).toMatch(/^netkit: .0. is not a socket: .*fd:/);
      expect(netkit(['unload', 'storage'], { env: bpffs.env }).status).toBe(0);
    });
  });
});
