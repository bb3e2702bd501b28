// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Follows the address of a kernel structure, which a tracepoint gives as a number, without
// bpf_probe_read_kernel().
#include <linux/bpf.h>
#include <linux/types.h>
#include <bpf/bpf_helpers.h>

struct netif_receive_skb {
	__u64 common;
	void *skb;
	__u32 length;
	__u32 name;
};

struct sk_buff_start {
	void *next;
	void *previous;
	void *device;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, __u64);
	__type(value, __u64);
} devices SEC(".maps");

SEC("tracepoint/net/netif_receive_skb")
int by_device(struct netif_receive_skb *ctx)
{
	struct sk_buff_start *skb = ctx->skb;
	__u64 device = (__u64)skb->device; /* HERE */
	__u64 one = 1;

	bpf_map_update_elem(&devices, &device, &one, BPF_ANY);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
