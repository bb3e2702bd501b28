// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copies an entry from one map into another one: the first lookup may find nothing, and the second
// map gets what it gave.
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <bpf/bpf_helpers.h>

struct station {
	__u64 packets;
	__u64 bytes;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u32);
	__type(value, struct station);
} current SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u32);
	__type(value, struct station);
} previous SEC(".maps");

SEC("tc")
int rotate(struct __sk_buff *skb)
{
	__u32 key = skb->ifindex;
	struct station *station;

	station = bpf_map_lookup_elem(&current, &key);
	bpf_map_update_elem(&previous, &key, station, BPF_ANY); /* HERE */
	bpf_map_delete_elem(&current, &key);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
