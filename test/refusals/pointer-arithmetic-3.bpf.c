// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Finds the middle of the packet as half the sum of two pointers.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("xdp")
int sample(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data;
	void *data_end = (void *)(long)ctx->data_end;
	__u8 *middle = (void *)(((long)data + (long)data_end) / 2); /* HERE */

	if ((void *)(middle + 1) > data_end)
		return XDP_PASS;
	return *middle ? XDP_PASS : XDP_DROP;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
