import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { notifyServiceManager } from '../../../src/host/notify-service.js';

/** Says `ready`, and then what comes as one datagram. Node has no such sockets; perl is in every Debian. */
const receiver = String.raw`
  use Socket; $| = 1;
  my $path = $ARGV[0]; $path =~ s/^@/\0/;
  socket(my $socket, AF_UNIX, SOCK_DGRAM, 0) or die "socket: $!";
  bind($socket, pack("S a*", AF_UNIX, $path)) or die "bind: $!";
  print "ready\n";
  recv($socket, my $bytes, 65536, 0); print $bytes;
`;

describe('the service manager', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'netkit-notify-'));
  });
  afterEach(() => {
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true });
  });

  it.each(['path', 'abstract name'])('is told at a socket by its %s', async (kind) => {
    const address = kind === 'path' ? join(folder, 'notify') : `@netkit-notify-${process.pid}`;
    const child = spawn('perl', ['-e', receiver, address], { stdio: ['ignore', 'pipe', 'inherit'] });
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      if (said === 'ready\n') {
        vi.stubEnv('NOTIFY_SOCKET', address);
        expect(notifyServiceManager('READY=1\nSTATUS=follows 2 namespaces')).toBe(true);
      }
    });
    await new Promise((resolve) => child.on('close', resolve));
    expect(said).toBe('ready\nREADY=1\nSTATUS=follows 2 namespaces');
  });

  it('is not told where there is none, or nobody listens', () => {
    for (const address of ['', '@', 'vsock:2:1', join(folder, 'nobody'), `/${'x'.repeat(200)}`]) {
      vi.stubEnv('NOTIFY_SOCKET', address);
      expect(notifyServiceManager('READY=1'), address).toBe(false);
    }
    vi.stubEnv('NOTIFY_SOCKET', undefined);
    expect(notifyServiceManager('READY=1')).toBe(false);
  });
});
