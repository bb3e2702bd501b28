// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Goes on with the packet pointers of before bpf_xdp_adjust_head(), which may move the packet: none
// of them is a pointer any more.
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <bpf/bpf_helpers.h>

struct tunnel {
	__u32 key;
	__u32 flags;
};

SEC("xdp")
int decapsulate(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data;
	void *data_end = (void *)(long)ctx->data_end;
	struct ethhdr *inner = data + sizeof(struct tunnel);

	if ((void *)(inner + 1) > data_end)
		return XDP_DROP;
	if (bpf_xdp_adjust_head(ctx, sizeof(struct tunnel)) < 0) /* HERE */
		return XDP_ABORTED;
	inner->h_source[0] &= 0xfe; /* HERE */
	return XDP_TX;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
