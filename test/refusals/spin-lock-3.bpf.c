// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Moves tokens from one bucket to another with both of them locked: a program may hold one lock at
// a time.
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>

struct bucket {
	struct bpf_spin_lock lock;
	__u32 tokens;
	__u64 refilled;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u32);
	__type(value, struct bucket);
} buckets SEC(".maps");

SEC("tc")
int lend(struct __sk_buff *skb)
{
	__u32 from_key = skb->ifindex, to_key = skb->ingress_ifindex;
	struct bucket *from = bpf_map_lookup_elem(&buckets, &from_key);
	struct bucket *to = bpf_map_lookup_elem(&buckets, &to_key);

	if (!from || !to)
		return TC_ACT_OK;
	bpf_spin_lock(&from->lock);
	bpf_spin_lock(&to->lock); /* HERE */
	to->tokens += from->tokens;
	from->tokens = 0;
	bpf_spin_unlock(&to->lock);
	bpf_spin_unlock(&from->lock);
	return TC_ACT_OK;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
