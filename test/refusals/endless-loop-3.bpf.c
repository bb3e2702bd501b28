// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Tries again until the map takes the entry, which may be never.
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u32);
	__type(value, __u64);
} last_seen SEC(".maps");

SEC("tc")
int remember(struct __sk_buff *skb)
{
	__u32 key = skb->hash;
	__u64 now = bpf_ktime_get_ns();
	long failed;

	do { /* HERE */
		failed = bpf_map_update_elem(&last_seen, &key, &now, BPF_ANY); /* HERE */
	} while (failed); /* HERE */
	return TC_ACT_OK;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
