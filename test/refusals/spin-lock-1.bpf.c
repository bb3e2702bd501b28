// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Asks for the time while it holds a lock: no helper may be called then.
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
int limit(struct __sk_buff *skb)
{
	__u32 key = skb->ifindex;
	struct bucket *bucket = bpf_map_lookup_elem(&buckets, &key);

	if (!bucket)
		return TC_ACT_OK;
	bpf_spin_lock(&bucket->lock);
	bucket->refilled = bpf_ktime_get_ns(); /* HERE */
	bucket->tokens = 100;
	bpf_spin_unlock(&bucket->lock);
	return TC_ACT_OK;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
