import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { Scope } from '../../src/base/scope.js';
import { compile } from '../../src/build/clang.js';
import { leavingNothing } from '../support/kernel-state.js';
import { describeAsRoot } from '../support/requirements.js';
import { errorOf, fixture, type Ground, makeGround } from './ground.js';

const details = z.looseObject({
  program: z.string(),
  reason: z.string(),
  file: z.nullable(z.string()),
  line: z.nullable(z.int()),
  source: z.nullable(z.string()),
  log: z.string(),
});

/** Refused inside of a function that another one calls, after a loop has made the log long. */
const deepSource = `#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

static __noinline int peek(struct xdp_md *ctx, int at) {
  char *data = (void *)(long)ctx->data;
  return data[at & 63];
}

SEC("xdp")
int fine(struct xdp_md *ctx) {
  return XDP_PASS;
}

SEC("xdp")
int deep(struct xdp_md *ctx) {
  int sum = 0;
  for (int i = 0; i < 200; i++)
    sum += bpf_get_prandom_u32() & i;
  return peek(ctx, sum) ? XDP_PASS : XDP_DROP;
}

char LICENSE[] SEC("license") = "GPL";
`;

describeAsRoot(
  'a program that the verifier refuses',
  () => {
    const owned = new Scope();
    let ground: Ground;
    let deep: string;

    beforeAll(async () => {
      ground = owned.use(makeGround());
      const source = join(ground.bpffs.folder, 'deep.bpf.c');
      writeFileSync(source, deepSource);
      deep = join(ground.bpffs.folder, 'deep.bpf.o');
      await compile({ sources: [source], output: deep });
    });
    afterAll(() => owned[Symbol.dispose]());

    /** The verifier's log as bpftool prints it. */
    function logOfBpftool(object: string): string {
      const pin = join(ground.bpffs.root.path, 'theirs');
      const result = spawnSync('bpftool', ['-d', 'prog', 'loadall', object, pin], { encoding: 'utf8' });
      expect(result.status).not.toBe(0);
      return result.stderr;
    }

    it('gives one line with program, file, line and the reason, a hint with the source, and status 7', async () => {
      await leavingNothing(() => {
        const refused = ground.refuses(7, 'load', fixture('oob'));
        expect(refused.stdout).toBe('');
        expect(refused.stderr).toMatch(
          /^netkit: the verifier refused program 'oob' at \S*oob\.bpf\.c:10: reads 1 byte of the packet at offset 12.*\nhint: .*eth->h_proto.*data_end.*\n$/,
        );
        expect(ground.list()).toEqual([]);
        expect(ground.bpffs.pins()).toEqual([]);
      });
    });

    it('gives the whole log with --json, as bpftool prints it', async () => {
      await leavingNothing(() => {
        const error = errorOf(ground.refuses(7, 'load', fixture('oob'), '--json'));
        expect(error.code).toBe('verifier-refused');
        const { log, ...rest } = details.parse(error.details);
        expect(rest).toMatchObject({ program: 'oob', line: 10 });
        expect(rest.file).toMatch(/oob\.bpf\.c$/);
        expect(rest.reason).toMatch(/^invalid access to packet/);
        expect(log).toMatch(/processed \d+ insns/);
        const theirs = logOfBpftool(fixture('oob'));
        const steps = log.split('\n').filter((line) => /^\d+: \([0-9a-f]{2}\)/.test(line));
        expect(steps.length).toBeGreaterThan(1);
        for (const step of steps) expect(theirs).toContain(step.replace(/ *;.*$/, ''));
        expect(theirs).toContain(rest.reason);
      });
    });

    it('names the line inside the function where it is refused, however long the log is', async () => {
      await leavingNothing(() => {
        const error = errorOf(ground.refuses(7, 'load', deep, '--json'));
        const { log, ...rest } = details.parse(error.details);
        expect(rest).toMatchObject({
          program: 'deep',
          line: 6,
          source: expect.stringContaining('data[at & 63]'),
        });
        expect(log.length).toBeGreaterThan(4096);
        expect(log).toMatch(/processed \d+ insns/);
        expect(log.startsWith('0: ') || log.startsWith('reg type') || /^(func#0|arg#0|;)/.test(log)).toBe(
          true,
        );
        // What is not refused loads.
        ground.does('load', deep, '--only', 'fine');
        ground.does('unload', 'deep');
      });
    });

    it('leaves a function that it was to replace as it was', async () => {
      await leavingNothing(() => {
        ground.does('load', fixture('pass'), '--name', 'oob');
        const before = ground.list();
        ground.refuses(7, 'load', fixture('oob'), '--replace');
        expect(ground.list()).toEqual(before);
        ground.does('unload', 'oob');
      });
    });
  },
  { tools: ['clang'] },
);
