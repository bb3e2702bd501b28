// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Ends without a return statement: the verdict is whatever.
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <bpf/bpf_helpers.h>

SEC("xdp")
int reflect(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data;
	void *data_end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = data;
	__u8 address[ETH_ALEN];

	if ((void *)(eth + 1) <= data_end) {
		__builtin_memcpy(address, eth->h_source, ETH_ALEN);
		__builtin_memcpy(eth->h_source, eth->h_dest, ETH_ALEN);
		__builtin_memcpy(eth->h_dest, address, ETH_ALEN);
	}
} /* HERE */

char LICENSE[] SEC("license") = "Dual BSD/GPL";
