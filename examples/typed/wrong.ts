// None of these lines compiles.
import { load, ObjectSpec } from 'netkit';
import { firewall } from './firewall.types.js';

const spec = ObjectSpec.readSync('firewall.bpf.o', { types: firewall });
const list = load(spec).map('blocklist_v4');
load(spec).map('block_list');
list.set(10, 'drop');
list.set('10.0.0.0/8', 'dorp');
list.set('10.0.0.0/8', { action: 'drop', tags: 7 });
list.set('10.0.0.0/8', { action: 'drop', packets: 1 });
