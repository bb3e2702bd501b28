// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Reads kernel memory in a function of a program under the BSD licence alone: «Dual BSD/GPL» it
// would have to be.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct netif_receive_skb {
	__u64 common;
	void *skb;
	__u32 length;
	__u32 name;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, __u64);
	__type(value, __u64);
} devices SEC(".maps");

static __noinline __u64 device_of(const void *skb)
{
	__u64 device = 0;

	bpf_probe_read_kernel(&device, sizeof(device), skb + 16); /* HERE */
	return device;
}

SEC("tracepoint/net/netif_receive_skb")
int by_device(struct netif_receive_skb *ctx)
{
	__u64 device = device_of(ctx->skb), one = 1;

	bpf_map_update_elem(&devices, &device, &one, BPF_ANY);
	return 0;
}

char LICENSE[] SEC("license") = "BSD"; /* HERE */
