import { describe, expect, it } from 'vitest';
import { NetkitError } from '../../../src/base/errors.js';
import { parseMountinfo } from '../../../src/host/mountinfo.js';
import { tracefs } from '../../../src/host/tracefs.js';

const proc = '22 1 0:20 / /proc rw - proc proc rw';

describe('tracefs', () => {
  it('is where the mounts say, by its type and not by its place', () => {
    const mounts = parseMountinfo(`${proc}\n40 1 0:12 / /mnt/my\\040traces rw,nosuid - tracefs none rw\n`);
    expect(tracefs(mounts)).toBe('/mnt/my traces');
  });

  it('is the last one mounted, and not a folder of it', () => {
    const mounts = parseMountinfo(
      '40 1 0:12 / /a rw - tracefs none rw\n41 1 0:12 / /b rw - tracefs none rw\n42 1 0:12 /events /c rw - tracefs none rw\n',
    );
    expect(tracefs(mounts)).toBe('/b');
  });

  it('that is mounted nowhere is an error with the command that mounts it', () => {
    const error = (() => {
      try {
        return tracefs(parseMountinfo(`${proc}\n43 1 0:9 / /nothing/debug rw - debugfs none rw\n`));
      } catch (thrown) {
        return thrown;
      }
    })();
    expect(error).toBeInstanceOf(NetkitError);
    expect(error).toMatchObject({ code: 'not-found', hint: expect.stringMatching(/^mount -t tracefs /) });
  });
});
