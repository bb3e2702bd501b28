// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// The program takes an entry for a newer and longer structure than the one that the map was
// declared with.
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>

struct flow {
	__u64 packets;
	__u64 bytes;
};

struct flow_with_time {
	struct flow flow;
	__u64 last_seen;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, __u32);
	__type(value, struct flow);
} flows SEC(".maps");

static __always_inline void touch(struct flow_with_time *seen, __u32 length)
{
	__sync_fetch_and_add(&seen->flow.packets, 1);
	__sync_fetch_and_add(&seen->flow.bytes, length);
	seen->last_seen = bpf_ktime_get_ns(); /* HERE */
}

SEC("tc")
int account(struct __sk_buff *skb)
{
	__u32 hash = bpf_get_hash_recalc(skb);
	struct flow_with_time *seen = bpf_map_lookup_elem(&flows, &hash);

	if (seen)
		touch(seen, skb->len);
	return TC_ACT_OK;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
