import { mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'vitest';
import { describeAsRoot } from '../support/requirements.js';
import { fixture } from './ground.js';
import { creationGround, typed } from './map-ground.js';
import { badValue, conflict, notFound, usage } from './refusal.js';

describeAsRoot('a map that cannot be made: map create', () => {
  const on = creationGround();
  const { create, pinOf, refused } = on;

  describe('refuses', () => {
    const hash = typed('hash', 'u32', 'u32');

    it('a path that is taken, by a map or a folder', async () => {
      create('hosts', ...hash);
      await refused(['map', 'create', pinOf('hosts'), ...hash], { ...conflict, says: /hosts already/ });
      mkdirSync(pinOf('folder'));
      await refused(['map', 'create', pinOf('folder'), ...hash], { ...conflict, says: /folder already/ });
      rmdirSync(pinOf('folder'));
    });

    it('a path that is not absolute, on no bpffs, below a pin, or has a dot', async () => {
      await refused(['map', 'create', 'hosts', ...hash], {
        ...usage,
        says: /not an absolute path/,
        hints: new RegExp(`${on.ground.bpffs.root.path}/hosts`),
      });
      await refused(['map', 'create', '/tmp/hosts', ...hash], { ...usage, says: /not in a bpf file system/ });
      writeFileSync(join(on.ground.bpffs.folder, 'file'), '');
      await refused(['map', 'create', join(on.ground.bpffs.folder, 'file/x'), ...hash], {
        ...usage,
        says: /not a folder/,
      });
      await refused(['map', 'create', pinOf('ho.sts'), ...hash], { ...usage, says: /'ho\.sts' has a dot/ });
      await refused(['map', 'create', pinOf('a.b/hosts'), ...hash], { ...usage, says: /'a\.b' has a dot/ });
      create('hosts', ...hash);
      await refused(['map', 'create', pinOf('hosts/x'), ...hash], { ...usage, says: /not a folder/ });
    });

    it("a path in the folders of netkit's functions, however it is spelt", async () => {
      for (const name of ['netkit/x', 'netkit', 'a/../netkit/fw/maps/x']) {
        await refused(['map', 'create', `${on.ground.bpffs.root.path}/${name}`, ...hash], {
          ...usage,
          says: /keeps for its functions/,
        });
      }
      await refused(['map', 'create', `${on.ground.bpffs.root.path}//netkit/x`, ...hash], {
        ...usage,
        says: /keeps for its functions/,
      });
    });

    it('sizes that do not fit the type, in words', async () => {
      const at = ['map', 'create', pinOf('map'), '--type'];
      await refused([...at, 'array', '--key-type', 'u64', '--value-type', 'u64', '--max-entries', '1'], {
        ...badValue,
        says: /4 bytes, not 8.*indices/,
      });
      await refused([...at, 'queue', '--key-type', 'u32', '--value-type', 'u64', '--max-entries', '1'], {
        ...badValue,
        says: /queue map has no keys/,
      });
      await refused([...at, 'ringbuf', '--max-entries', '5000'], {
        ...badValue,
        says: /power of two and a multiple of the page/,
        hints: /8192/,
      });
      await refused([...at, 'lpm_trie', '--key-type', 'ipv4', '--value-type', 'u64', '--max-entries', '1'], {
        ...badValue,
        says: /ipv4 is no type.*prefixes/,
      });
      await refused([...at, ...hash.slice(1, -1), '0'], { ...badValue, says: /at least one entry/ });
    });

    it('types that are unknown, without their width, or without their object', async () => {
      const at = ['map', 'create', pinOf('map'), '--max-entries', '1'];
      await refused([...at, '--type', 'hash', '--key-type', 'u33', '--value-type', 'u8'], {
        ...usage,
        says: /'u33' is not a type/,
      });
      await refused([...at, '--type', 'hash', '--key-type', 'string', '--value-type', 'u8'], {
        ...usage,
        says: /width/,
        hints: /string:16/,
      });
      await refused([...at, '--type', 'hash', '--key-type', 'struct flow', '--value-type', 'u8'], {
        ...usage,
        says: /--types/,
      });
      const objects = ['--types', fixture('maps')];
      await refused([...at, '--type', 'hash', '--key-type', 'struct flo', '--value-type', 'u8', ...objects], {
        ...notFound,
        says: /no type 'struct flo'/,
        hints: /did you mean 'flow'/,
      });
      await refused([...at, '--type', 'hsh', '--key-type', 'u8', '--value-type', 'u8'], {
        ...usage,
        says: /'hsh' is none of/,
        hints: /did you mean 'hash'/,
      });
    });

    it('what is missing or too much', async () => {
      await refused(['map', 'create', pinOf('map'), '--max-entries', '1'], {
        ...usage,
        says: /--type is missing/,
      });
      await refused(['map', 'create', pinOf('map'), ...hash.slice(0, -2)], {
        ...usage,
        says: /how many entries/,
      });
      await refused(['map', 'create', ...hash], { ...usage, says: /PIN is missing/ });
      await refused(['map', 'create', pinOf('map'), 'more', ...hash], {
        ...usage,
        says: /too many arguments/,
      });
      await refused(['map', 'create', pinOf('map'), ...hash, '--key-size', '4'], {
        ...usage,
        says: /exclude each other/,
      });
      await refused(['map', 'create', pinOf('map'), ...hash, '--max-entries', '4294967296'], {
        ...usage,
        says: /--max-entries/,
      });
      await refused(['map', 'create', pinOf('map'), ...hash, '--inner', pinOf('x')], {
        ...usage,
        says: /--inner/,
      });
    });

    it('flags that the type does not take, and names that the kernel does not', async () => {
      await refused(['map', 'create', pinOf('map'), ...hash, '--flag', 'mmapable'], {
        ...badValue,
        says: /does not take the flag mmapable/,
      });
      await refused(['map', 'create', pinOf('map'), ...hash, '--flag', 'no_preallok'], {
        ...usage,
        says: /no_preallok/,
        hints: /no_prealloc/,
      });
      for (const name of ['a b', 'sixteen_letters_', 'ä', '']) {
        await refused(['map', 'create', pinOf('map'), ...hash, '--name', name], {
          ...badValue,
          says: /--name/,
        });
      }
    });
  });
});
