import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { Scope } from '../../src/base/scope.js';
import { packageRoot } from '../../src/host/package-root.js';
import { readElf } from '../../src/obj/elf.js';
import { uniqueName } from '../support/netns.js';
import { describeAsRoot } from '../support/requirements.js';
import { fixture, type Ground, makeGround } from './ground.js';
import { Objects } from './objects.js';
import { badValue, conflict, expectRefused, notFound, type Refusal, usage } from './refusal.js';

const badObject = { status: 1, code: 'bad-object' } as const;

describeAsRoot('bad input is refused in one line, and everything stays as it was:', () => {
  const owned = new Scope();
  let ground: Ground;
  let objects: Objects;

  beforeAll(() => {
    objects = owned.use(new Objects());
    ground = owned.use(makeGround());
    ground.does('load', fixture('maps'), '--name', 'maps');
    ground.does('load', fixture('pass'), '--name', 'first');
    ground.does('load', fixture('pass'), '--name', 'second');
    ground.attach('first');
  });
  afterAll(() => owned[Symbol.dispose]());

  const refused = (args: readonly string[], refusal: Refusal) => expectRefused(ground, args, refusal);
  const load = (object: string, ...more: string[]) => ['load', object, '--name', 'new', ...more];
  /** A new file with these bytes. */
  const file = (name: string, bytes: Uint8Array | string): string => {
    const path = join(objects.folder, name);
    writeFileSync(path, bytes);
    return path;
  };

  describe('an object', () => {
    it('that does not exist', async () => {
      const says = /'\/nowhere\/x\.bpf\.o'.*no such file/;
      await refused(load('/nowhere/x.bpf.o'), { ...notFound, says });
      await refused(['inspect', '/nowhere/x.bpf.o'], { ...notFound, says });
    });

    it('that is a directory', async () => {
      await refused(load(objects.folder), { ...badObject, says: /is a directory/ });
    });

    it('that is no ELF file', async () => {
      const text = file('text.bpf.o', 'int main(void) { return 0; }\n');
      await refused(load(text), { ...badObject, says: /text\.bpf\.o: not an ELF file/ });
      await refused(['inspect', text], { ...badObject, says: /not an ELF file/ });
    });

    it('that is empty', async () => {
      await refused(load(file('empty.bpf.o', '')), { ...badObject, says: /not an ELF file|empty/ });
    });

    it('that never ends', async () => {
      const says = /\/dev\/zero.*not a (regular )?file/;
      await refused(load('/dev/zero'), { ...badObject, says });
      await refused(['map', 'dump', 'maps/counts', '--types', '/dev/zero'], { ...badObject, says });
    });

    it('or a capture that never ends', async () => {
      const args = ['prog', 'run', 'first/pass', '--pcap', '/dev/zero'];
      await refused(args, { ...badValue, says: /'\/dev\/zero' is a device/ });
    });

    it('that is an ELF file without BPF', async () => {
      await refused(load('/bin/true'), { ...badObject, says: /\/bin\/true: .*(BPF|machine)/ });
    });

    it('that is cut off, wherever', async () => {
      const whole = readFileSync(fixture('maps'));
      for (const length of [20, 64, whole.length >> 1, whole.length - 1]) {
        const cut = file('cut.bpf.o', whole.subarray(0, length));
        await refused(load(cut), { ...badObject, says: /cut\.bpf\.o: / });
      }
    });

    it('with corrupt BTF', async () => {
      for (const [at, value] of [
        [0, 0x12],
        [2, 0x77],
        [13, 0xff],
        [24 + 7, 0x1f],
      ] as const) {
        const bytes = readFileSync(fixture('maps'));
        const offset = offsetOf(bytes, '.BTF');
        bytes[offset + at] = value;
        await refused(load(file('btf.bpf.o', bytes)), { ...badObject, says: /btf\.bpf\.o: .*BTF/ });
      }
    });

    it('for another machine', async () => {
      await refused(load(fixture('bigendian')), { ...badObject, says: /big-endian/ });
    });

    it('that the verifier refuses', async () => {
      await refused(load(fixture('oob')), {
        status: 7,
        code: 'verifier-refused',
        says: /'oob' at .*oob\.bpf\.c:10: reads 1 byte of the packet at offset 12/,
        hints: /eth->h_proto == 0x0008/,
      });
    });

    it('with declarations that libbpf refuses', async () => {
      await refused(load(fixture('legacy')), { ...badObject, says: /legacy\.bpf\.o: / });
    });

    it('that netkit does not bring along', async () => {
      await refused(load('builtin:firewal'), {
        ...notFound,
        says: /'firewal'/,
        hints: /did you mean 'firewall'/,
      });
    });
  });

  describe('a source', () => {
    it('that does not compile', async () => {
      const source = join(packageRoot(), 'test/fixtures/broken.bpf.c');
      await refused(['build', source, '-o', join(objects.folder, 'broken.bpf.o')], {
        status: 1,
        code: 'compile-failed',
        says: /broken\.bpf\.c.*(does not compile: 2 errors|'XDP_PAS')/,
        before: /broken\.bpf\.c:9:10: error: .*'XDP_PAS'/,
      });
    });

    it('that does not exist', async () => {
      await refused(['build', '/nowhere/x.bpf.c'], { ...notFound, says: /'\/nowhere\/x\.bpf\.c'/ });
    });
  });

  describe('a choice at loading:', () => {
    it('a name that is taken', async () => {
      await refused(['load', fixture('tc'), '--name', 'first'], {
        ...conflict,
        says: /'first' is loaded already/,
        hints: /--name.*--replace/,
      });
    });

    it('a name that cannot be one', async () => {
      for (const name of ['Upper', '-x', 'a/b', '..', 'a'.repeat(64), 'a b', 'ü']) {
        await refused(['load', fixture('tc'), `--name=${name}`], {
          ...usage,
          says: /cannot be a function's name/,
        });
      }
    });

    it('a global that is unknown', async () => {
      await refused(load(fixture('globals'), '--set', 'rat=5'), {
        ...notFound,
        says: /'rat'/,
        hints: /did you mean 'rate'\?/,
      });
    });

    it('a global that is out of range, or of another type', async () => {
      const set = (text: string) => load(fixture('globals'), '--set', text);
      await refused(set('small=256'), { ...badValue, says: /small.*256.*0.*255/ });
      await refused(set('negative=-129'), { ...badValue, says: /negative.*-129/ });
      await refused(set('budget=18446744073709551616'), { ...badValue, says: /budget/ });
      await refused(set('rate=many'), { ...badValue, says: /rate.*'?many/ });
      await refused(set('default_action=REJECT'), { ...badValue, says: /default_action.*REJECT/ });
      await refused(set('rate'), { ...usage, says: /'rate' is not VAR=VALUE/ });
    });

    it('a map size that is none', async () => {
      const size = (text: string) => load(fixture('maps'), '--map-size', text);
      for (const text of ['many', '-1', '0', '1.5', '0x', '']) {
        await refused(size(`flows=${text}`), { ...badValue, says: /flows/ });
      }
      await refused(size('flows=4294967296'), { ...badValue, says: /flows.*4294967296|4294967296.*flows/ });
      await refused(size('flws=8'), { ...notFound, says: /'flws'/, hints: /did you mean 'flows'/ });
      await refused(size('flows'), { ...usage, says: /'flows' is not MAP=N/ });
    });

    it('a size that the kernel does not give', async () => {
      const size = (text: string) => load(fixture('maps'), '--map-size', text);
      await refused(size('flows=4294967295'), {
        ...badValue,
        says: /'flows' cannot be made with 4294967295 entries/,
      });
      await refused(size('counts=4294967295'), {
        ...badValue,
        says: /'counts' cannot be made with 4294967295 entries/,
      });
    });

    it('a program that the object does not have', async () => {
      const args = load(fixture('tcx'), '--only', 'on_ingres');
      await refused(args, { ...notFound, says: /'on_ingres'/, hints: /did you mean 'on_ingress'/ });
    });

    it('a map to reuse that has another shape, or is not there', async () => {
      const reuse = (text: string) => load(fixture('maps'), '--reuse', text);
      await refused(reuse('flows=maps/counts'), {
        ...conflict,
        says: /'flows' cannot be maps\/counts: type hash.*array/,
      });
      await refused(reuse('flows=maps/flws'), { ...notFound, says: /'flws'/, hints: /did you mean 'flows'/ });
      await refused(reuse('flws=maps/flows'), { ...notFound, says: /'flws'/, hints: /did you mean 'flows'/ });
    });
  });

  describe('an interface', () => {
    const at = (ifname: string, ...more: string[]) => [
      'attach',
      'second',
      ifname,
      '--netns',
      ground.netns.name,
      ...more,
    ];

    it('that does not exist', async () => {
      await refused(at('eth77'), { ...notFound, says: /interface 'eth77'/ });
      await refused(at(`${ground.ifname}x`), {
        ...notFound,
        says: /./,
        hints: new RegExp(`'${ground.ifname}'`),
      });
      await refused(at('a'.repeat(16)), { ...notFound, says: /interface 'a{16}'/ });
    });

    it('in a namespace that does not exist', async () => {
      await refused(['attach', 'second', 'lo', '--netns', 'nowhere'], {
        ...notFound,
        says: /namespace 'nowhere'/,
      });
    });

    it('that has the XDP program of another function', async () => {
      await refused(at(ground.ifname), {
        ...conflict,
        says: new RegExp(`${ground.ifname}.*(first|XDP program)`),
      });
    });

    it('that has the XDP program of another owner', async () => {
      const { netns, ifname } = ground.veth.a;
      const [pin, map] = [join(ground.bpffs.root.path, uniqueName()), fixture('pass')];
      execFileSync('bpftool', ['prog', 'load', map, pin]);
      netns.run('ip', ['link', 'set', 'dev', ifname, 'xdpgeneric', 'pinned', pin]);
      try {
        for (const mode of ['auto', 'native', 'generic']) {
          const args = ['attach', 'second', ifname, '--netns', netns.name, '--mode', mode];
          await refused(args, { ...conflict, says: new RegExp(`${ifname}.*XDP`) });
        }
      } finally {
        netns.run('ip', ['link', 'set', 'dev', ifname, 'xdpgeneric', 'off']);
        execFileSync('rm', [pin]);
      }
    });

    it('on a hook that the program is not for', async () => {
      await refused(at(ground.ifname, '--hook', 'tcx/ingress'), { ...usage, says: /'pass' is of type xdp/ });
      await refused(at(ground.ifname, '--hook', 'xdpp'), {
        ...usage,
        says: /'xdpp'/,
        hints: /did you mean 'xdp'/,
      });
    });

    it('that nothing is attached to', async () => {
      const args = ['detach', 'second', ...ground.place];
      await refused(args, { ...notFound, says: /second/ });
    });
  });

  describe('the command line:', () => {
    it('a command that is unknown', async () => {
      await refused(['lod', 'x'], { ...usage, says: /'lod'/, hints: /did you mean 'load'/ });
      await refused(['map', 'gett'], { ...usage, says: /'map gett'/, hints: /did you mean 'get'/ });
    });

    it('an option that is unknown', async () => {
      await refused(load(fixture('pass'), '--pesist'), {
        ...usage,
        says: /'--pesist'/,
        hints: /'--persist'/,
      });
    });

    it('an argument that is missing, empty or too many', async () => {
      await refused(['load'], { ...usage, says: /load: / });
      await refused(['load', ''], { ...usage, says: /empty/ });
      await refused(['list', 'too', 'many'], { ...usage, says: /too many arguments/ });
    });

    it('a question without a terminal to answer it', async () => {
      await refused(['unload', '--all'], { ...usage, says: /no terminal/, hints: /--yes/ });
    });
  });

  it('an output that cannot be written leaves no file behind', async () => {
    const source = join(objects.folder, 'ok.bpf.c');
    copyFileSync(join(packageRoot(), 'test/fixtures/pass.bpf.c'), source);
    chmodSync(source, 0o644);
    await refused(['build', source, '-o', '/nowhere/x.bpf.o'], { ...notFound, says: /\/nowhere/ });
  });
});

function offsetOf(bytes: Uint8Array, section: string): number {
  const found = readElf(bytes).section(section);
  if (found === undefined) throw new Error(`no section ${section}`);
  return found.data.byteOffset - bytes.byteOffset;
}
