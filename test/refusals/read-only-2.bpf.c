// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Writes to a map that only user space may write to (BPF_F_RDONLY_PROG).
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>

struct rule {
	__u64 hits;
	__u32 verdict;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 256);
	__uint(map_flags, BPF_F_RDONLY_PROG);
	__type(key, __u32);
	__type(value, struct rule);
} rules SEC(".maps");

SEC("tc")
int judge(struct __sk_buff *skb)
{
	__u32 key = skb->mark;
	struct rule *rule = bpf_map_lookup_elem(&rules, &key);

	if (!rule)
		return TC_ACT_OK;
	rule->hits = bpf_ktime_get_ns(); /* HERE */
	return rule->verdict;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
