import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { BenchDocument } from '../../src/bench/document.js';
import { udpPacket } from '../../src/bench/lab/packet.js';
import { writePcap } from '../../src/obj/pcap.js';
import { netkit } from '../support/cli.js';
import { expectUnchangedAfterAll } from '../support/kernel-state.js';
import { describeAsRoot, ownProcessId, type Requirements } from '../support/requirements.js';
import { brokenAccounts, brokenChecks, leftOut, measured, temporaryFolder } from './bench-ground.js';

const needs: Requirements = {
  ...ownProcessId,
  kernelHas: ['live-frames'],
  tools: ['iptables', 'nft'],
};

const from = { mac: '02:00:00:00:00:0a', address: Uint8Array.of(192, 0, 2, 1) };
const to = { mac: '02:00:00:00:00:0b', address: Uint8Array.of(198, 51, 100, 1) };
const udp = (size: number): Uint8Array => udpPacket({ family: 'ipv4', size, from, to, port: 53 });

/** With another protocol of IP; the checksum of its header follows. */
function ofProtocol(protocol: number): Uint8Array {
  const packet = udp(200);
  packet[23] = protocol;
  const view = new DataView(packet.buffer);
  view.setUint16(24, view.getUint16(24) + 17 - protocol);
  return packet;
}

describeAsRoot(
  'netkit bench drop with packets of a capture',
  () => {
    const folder = temporaryFolder();
    expectUnchangedAfterAll();

    function capture(name: string, packets: readonly Uint8Array[]): string {
      const path = join(folder.path, name);
      writeFileSync(path, writePcap(packets.map((bytes) => ({ bytes }))));
      return path;
    }

    function measuredSoundly(...words: string[]): BenchDocument {
      const document = measured('drop', [...words, '--seconds', '2']);
      expect(brokenChecks(document)).toEqual([]);
      expect(brokenAccounts(document, 'accounting')).toEqual([]);
      return document;
    }

    it('drops each of them at every rung that gets them all, and says which do not', () => {
      const sizes = [60, 1514, 300];
      const document = measuredSoundly('--pcap', capture('udp.pcap', sizes.map(udp)));
      expect(document.title).toMatch(/a flood of 3 packets of .*udp\.pcap\?$/);
      expect(document.groups[0]?.variants.map(({ name }) => name)).toEqual([
        'iptables-raw',
        'nft-ingress',
        'tc',
        'tcx',
        'xdp-generic',
        'xdp-native',
        'tc again',
      ]);
      expect(leftOut(document)).toEqual([
        'socket, read',
        'nobody listens',
        'iptables INPUT, conntrack',
        'iptables INPUT',
        'socket filter',
      ]);
      const tc = document.groups[0]?.variants.find(({ name }) => name === 'tc');
      expect(tc?.checks[0]?.detail).toMatch(/^3 of 3 packets, each of them sent once, ended here/);
      expect(document.environment.commands.join('\n')).toContain('-t raw -A PREROUTING -j DROP');
    });

    it('leaves out rules where GRO may join packets, and those of iptables where not all are of IPv4', () => {
      const arp = udp(60);
      arp.set([0x08, 0x06], 12);
      const only = ['--only', 'iptables-raw,nft-ingress,tc,xdp-native'];
      expect(
        leftOut(measuredSoundly('--pcap', capture('tcp.pcap', [ofProtocol(6), udp(90)]), ...only)),
      ).toEqual(['iptables raw', 'nft ingress']);
      expect(leftOut(measuredSoundly('--pcap', capture('arp.pcap', [arp, udp(90)]), ...only))).toEqual([
        'iptables raw',
      ]);
    });

    it('takes as many of them as it is told, and none that are too long for an Ethernet', () => {
      const path = capture('long.pcap', [new Uint8Array(1515), udp(90), udp(91), udp(92)]);
      const words = [
        'bench',
        'drop',
        '--pcap',
        path,
        '--limit',
        '3',
        '--only',
        'tc',
        '--seconds',
        '1',
        '--json',
      ];
      const result = netkit(words);
      expect(result.status).toBe(0);
      expect(result.stderr).toMatch(/1 of 3 packets are longer than 1514 bytes/);
      expect((result.json() as BenchDocument).title).toContain('2 packets of');
    });

    it.each([
      ['--packet-size', '65'],
      ['--flows', '2'],
      ['--family', 'ipv6'],
    ])('is not for %s %s at the same time', (...words) => {
      const result = netkit(['bench', 'drop', '--pcap', capture('any.pcap', [udp(64)]), ...words]);
      expect(result.stderr).toMatch(/--pcap and --.* exclude each other/);
      expect(result.status).toBe(2);
    });

    it('refuses a file that is no capture, that has no packets, or none that can be sent', () => {
      const none = join(folder.path, 'none.pcap');
      writeFileSync(none, 'no capture');
      const files = [none, capture('empty.pcap', []), capture('long.pcap', [new Uint8Array(2000)])];
      const said = files.map((path) => netkit(['bench', 'drop', '--pcap', path]));
      expect(said.map(({ status }) => status)).toEqual([2, 2, 2]);
      expect(said.map(({ stderr }) => stderr).join('')).toMatch(
        /not a pcap or pcapng file[\s\S]*has no packets[\s\S]*are longer than 1514 bytes/,
      );
    });
  },
  needs,
);
