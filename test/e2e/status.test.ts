// What `netkit status` says of declared functions and chains, held against what was done to them by other means.
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { possibleCpus } from '../../src/ebpf/possible-cpus.js';
import { expectUnchangedAfterAll } from '../support/kernel-state.js';
import { emulated, kernelLacks } from '../support/known-kernels.js';
import { run } from '../support/netns.js';
import { describeAsRoot } from '../support/requirements.js';
import { chain, firewall, ingress, pair, ViewGround } from './declared-view-ground.js';
import { bpftoolDump, chained, fixture } from './ground.js';
import { expectRefused, notFound } from './refusal.js';

const hasTcx = kernelLacks('tcx') === undefined;

describeAsRoot('netkit status', () => {
  expectUnchangedAfterAll();

  it('says that nothing is declared, also of functions loaded by hand', async () => {
    using view = new ViewGround();
    const { ground } = view;
    expect(view.status()).toEqual({ functions: [], chains: [] });
    expect(ground.does('status').stdout).toBe('nothing is declared\n');
    ground.does('load', fixture('pass'), '--name', 'hand');
    expect(view.status()).toEqual({ functions: [], chains: [] });
    const says = /'hand' was loaded by hand: no manifest declares it/;
    await expectRefused(ground, ['status', 'hand'], { ...notFound, says, hints: /netkit list hand/ });
    await expectRefused(ground, ['status', 'nobody'], {
      ...notFound,
      says: /nothing called 'nobody' is declared/,
    });
  });

  it('tells what a function runs, where, what it waits for, and what it counts', () => {
    using view = new ViewGround();
    const { ground } = view;
    const manifest = view.applies('fw.yaml', firewall);
    ground.ping(3);
    const status = view.statusOf('fw');
    expect(status).toMatchObject({
      ...{ name: 'fw', condition: 'running', labels: { tier: 'edge' }, manifest, problems: [] },
      ...{ generation: { number: 1, from: null }, former: [], chains: [], pending: null, settling: null },
      object: { path: 'builtin:firewall' },
      programs: [{ name: 'firewall' }],
      links: [{ alive: true, declared: true, chain: null, link: { hook: 'xdp', ifname: ground.ifname } }],
      places: [
        { program: 'firewall', hook: 'xdp', target: 'later*', netns: ground.netns.name, reason: 'waiting' },
      ],
    });
    expect(status.links[0]?.order).toEqual({ priority: 20, place: 1, of: 1 });
    const [metric] = status.metrics;
    expect(metric).toMatchObject({ name: 'packets_total', help: 'Packets by outcome.', problem: null });
    const counted = metric?.samples.find(({ labels }) => labels.outcome === 'drop_blocked_v4');
    expect(counted?.value).toBe(3);
    const text = ground.does('status', 'fw').stdout;
    expect(text).toMatch(/^fw running$/m);
    expect(text).toMatch(new RegExp(`^ {2}attached firewall on xdp .* of ${ground.ifname} in netns `, 'm'));
    expect(text).toMatch(/^ {2}waits for xdp of later\* in netns \S+ for firewall$/m);
    expect(text).toContain(`  packets_total{outcome="drop_blocked_v4"} ${String(counted?.value)}\n`);
  });

  it('sums the values of CPUs, and those whose keys have no label', () => {
    using view = new ViewGround();
    view.applies(
      'f.yaml',
      `{apiVersion: netkit/v1, kind: NetworkFunction, metadata: {name: f}, spec: {program: {object: ${fixture('declared')}}, maps: {
        cpu_rules: {entries: {1: {packets: 5, bytes: 7}, 2: {packets: 1}}}, flows: {entries: [
          {key: {saddr: 0.0.0.1, port: 2, proto: 6}, value: 10}, {key: {saddr: 0.0.0.1, port: 3, proto: 6}, value: 5}, {key: {saddr: 0.0.0.2, port: 3, proto: 17}, value: 18446744073709551615}]}},
        metrics: [
          {map: flows, name: flow, type: gauge, labels: [saddr, port, proto]}, {map: flows, name: source, type: gauge, labels: [saddr]},
          {map: cpu_settings, name: total, type: counter}, {map: cpu_rules, name: member, type: counter, labels: [rule], field: packets}]}}`,
    );
    const shown = view.ground.does('status', 'f').stdout;
    expect(shown.match(/^ {2}(flow|source|total|member).*$/gm)?.map((line) => line.trim())).toEqual([
      'flow{saddr="0.0.0.1",port="2",proto="6"} 10',
      'flow{saddr="0.0.0.1",port="3",proto="6"} 5',
      'flow{saddr="0.0.0.2",port="3",proto="17"} 18446744073709551615',
      'source{saddr="0.0.0.1"} 15',
      'source{saddr="0.0.0.2"} 18446744073709551615',
      'total 0',
      // On each CPU five.
      `member{rule="1"} ${5 * possibleCpus()}`,
      `member{rule="2"} ${possibleCpus()}`,
    ]);
    rmSync(view.pin('f', 'maps', 'flows'));
    const problems = view.statusOf('f').metrics.map(({ problem }) => problem);
    expect(problems).toEqual(["the map 'flows' is not there", "the map 'flows' is not there", null, null]);
  });

  it('tells the generations that a rollback can bring back', () => {
    using view = new ViewGround();
    view.applies('fw.yaml', firewall);
    const before = view.statusOf('fw').generation;
    view.applies('fw.yaml', firewall.replace('default_action: pass', 'default_action: drop'));
    const { generation, former } = view.statusOf('fw');
    expect(generation?.number).toBe(2);
    expect(former).toEqual([before]);
    expect(view.ground.does('status').stdout).toMatch(/^ {2}can go back to: +generation 1$/m);
  });

  it('tells what was lost, detached by hand, attached by hand and is not attached yet', () => {
    using view = new ViewGround();
    const { ground } = view;
    const text = `
apiVersion: netkit/v1
kind: NetworkFunction
metadata: { name: f }
spec:
  program: { object: ${fixture('tcx')} }
  attach: [{ program: on_ingress, hook: IN, interfaces: [ETH, "late*"], netns: NS }]
`;
    view.applies('f.yaml', text);
    ground.netns.run('ip', ['link', 'add', 'late0', 'type', 'veth', 'peer', 'name', 'peer0']);
    expect(view.statusOf('f')).toMatchObject({
      condition: 'partly',
      places: [{ target: 'late0', reason: 'open' }],
    });
    ground.does('apply', '-f', join(view.folder, 'f.yaml'));
    expect(view.statusOf('f')).toMatchObject({ condition: 'running', places: [] });
    // By others: the link by its own means, or the filter with its qdisc.
    if (hasTcx)
      run('bpftool', [
        'link',
        'detach',
        'pinned',
        view.pin('f', 'links', `on_ingress-tcx-ingress-${ground.ifname}`),
      ]);
    else ground.netns.run('tc', ['qdisc', 'del', 'dev', ground.ifname, 'clsact']);
    ground.does('detach', 'f', 'late0', '--netns', ground.netns.name);
    ground.attach('f/on_egress');
    const { condition, links, places } = view.statusOf('f');
    expect(condition).toBe('partly');
    expect(links.map(({ link, alive, declared }) => [link.program.name, alive, declared])).toEqual([
      ['on_ingress', false, true],
      ['on_egress', true, false],
    ]);
    expect(places).toMatchObject([{ target: 'late0', reason: 'detached' }]);
    const shown = ground.does('status').stdout;
    expect(shown).toMatch(/^f not wholly attached$/m);
    expect(shown).toMatch(/^ {2}lost on_ingress on /m);
    expect(shown).toMatch(/^ {2}attached on_egress on .*by hand\)$/m);
    expect(shown).toMatch(new RegExp(`^ {2}detached by hand: ${ingress} of late0 in netns`, 'm'));
  });

  it('tells what makes a chain, and whether it runs in the declared order', () => {
    using view = new ViewGround();
    const { ground } = view;
    view.applies('c.yaml', pair(fixture('tcx')) + chain('two, one'));
    const member = { program: 'on_ingress', alive: true };
    expect(view.status('both')).toMatchObject({
      functions: [],
      chains: [
        {
          ...{ name: 'both', labels: { tier: 'edge' }, hook: ingress, interface: ground.ifname },
          ...{ form: hasTcx ? 'tcx' : 'tc', inOrder: true, problem: null },
          members: [
            { ...member, function: 'two', priority: 10 },
            { ...member, function: 'one', priority: 20 },
          ],
        },
      ],
    });
    ground.ping(2);
    expect(view.statusOf('one')).toMatchObject({ chains: ['both'], links: [{ chain: 'both' }] });
    // As bpftool reads the map, past netkit.
    const [seen] = bpftoolDump(view.pin('one', 'maps', 'packets'));
    const counted = Buffer.from(seen?.value ?? '', 'hex').readBigUInt64LE();
    const [sample] = view.statusOf('one').metrics[0]?.samples ?? [];
    expect(sample?.labels).toEqual({ direction: '0' });
    expect(BigInt(Number(sample?.value))).toBeGreaterThanOrEqual(counted);
    expect(ground.does('status').stdout).toMatch(/^chain both in order$/m);
    ground.does('detach', 'two', ...ground.place);
    expect(view.status('both').chains[0]).toMatchObject({
      inOrder: false,
      members: [{ alive: false }, { alive: true }],
    });
    expect(ground.does('status', 'both').stdout).toMatch(/^chain both not whole$/m);
  });

  it.runIf(hasTcx)('sees that somebody put the members of a chain into another order', () => {
    using view = new ViewGround();
    const { ground } = view;
    view.applies('c.yaml', pair(fixture('tcx')) + chain('one, two'));
    ground.does('detach', 'one', ...ground.place);
    ground.attach('one/on_ingress', '--after', 'two', '--priority', '10');
    // The link of that name is the one that was declared, in another place.
    expect(view.status('both').chains[0]).toMatchObject({
      inOrder: false,
      members: [{ place: 2 }, { place: 1 }],
    });
    expect(ground.does('status', 'both').stdout).toMatch(/^chain both not in the declared order$/m);
  });

  it('tells the chain of XDP programs: a dispatcher, or tail calls where there can be none', () => {
    using view = new ViewGround();
    const text = ['one', 'two'].map(
      (name) =>
        `{apiVersion: netkit/v1, kind: NetworkFunction, metadata: {name: ${name}}, spec: {program: {builtin: firewall}}}`,
    );
    view.applies('c.yaml', `${text.join('\n---\n')}\n${chain('one, two').replace('IN', 'xdp')}`);
    const [status] = view.status('both').chains;
    expect(status).toMatchObject({ inOrder: true, form: chained ? 'dispatcher' : 'tail-calls' });
    expect(status?.members.map(({ place }) => place)).toEqual([1, 2]);
    expect(view.statusOf('two').links[0]?.order).toEqual({ priority: 20, place: 2, of: 2 });
  });

  it('shows what can be read when states are damaged, and says which cannot', () => {
    using view = new ViewGround();
    const { ground } = view;
    const { stateDir } = ground.bpffs;
    view.applies('c.yaml', pair(fixture('tcx')) + chain('one, two'));
    view.applies('fw.yaml', firewall);
    writeFileSync(join(stateDir, 'one.json'), '{"name":');
    const { functions, chains } = view.status();
    expect(functions.map(({ name, condition }) => [name, condition])).toEqual([
      ['fw', 'running'],
      ['one', 'unknown'],
      ['two', 'running'],
    ]);
    expect(functions[1]?.problems).toMatchObject([expect.stringMatching(/one\.json is damaged/)]);
    expect(chains).toMatchObject([
      { name: 'both', members: [{ function: 'one', alive: false }, { alive: true }] },
    ]);
    expect(ground.does('status').stdout).toMatch(/^one unknown: its state cannot be read$/m);
    // The object that the record names.
    const { object } = JSON.parse(run('cat', [join(stateDir, 'fw.json')]));
    renameSync(join(stateDir, object.file), join(stateDir, 'away'));
    const hurt = view.statusOf('fw');
    expect(hurt).toMatchObject({ condition: 'running', metrics: [], generation: { number: 1 } });
    expect(hurt.problems[0]).toMatch(/the object of generation 1 cannot be read/);
    writeFileSync(join(stateDir, 'both.chain'), '{}');
    expect(view.status().chains).toMatchObject([
      { name: 'both', inOrder: null, problem: expect.stringMatching(/damaged/) },
    ]);
    rmSync(join(stateDir, 'both.chain'));
    for (const name of ['fw', 'one', 'two']) ground.does('unload', name);
  });

  it('tells what waits for its confirmation, and whose health is being watched', async () => {
    using view = new ViewGround();
    const { ground } = view;
    view.applies('fw.yaml', firewall, '--confirm', '60s');
    expect(view.statusOf('fw')).toMatchObject({ pending: { function: 'fw' }, settling: null });
    expect(ground.does('status').stdout).toMatch(/is taken back in .* unless 'netkit confirm fw' keeps it/);
    ground.does('confirm', 'fw');
    expect(view.statusOf('fw').pending).toBeNull();
    const path = view.declares(
      'fw.yaml',
      `${firewall.replace('default_action: pass', 'default_action: drop')}  health: { settle: ${emulated ? '30s' : '3s'} }\n`,
    );
    using running = ground.start('apply', '-f', path);
    await expect
      .poll(() => view.statusOf('fw').settling, { timeout: emulated ? 60_000 : 10_000 })
      .toBe('health');
    expect(ground.does('status').stdout).toMatch(/its health is being watched/);
    expect((await running.ended).status).toBe(0);
    expect(view.statusOf('fw')).toMatchObject({ pending: null, settling: null, generation: { number: 2 } });
  });

  it('says of a function that its pins are gone', () => {
    using view = new ViewGround();
    view.applies('f.yaml', pair(fixture('tcx')));
    run('rm', ['-r', view.pin('one')]);
    expect(view.statusOf('one')).toMatchObject({ condition: 'absent' });
    expect(view.ground.does('status').stdout).toMatch(/^one not in the kernel$/m);
  });
});
