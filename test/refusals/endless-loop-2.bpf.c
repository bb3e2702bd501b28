// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Walks over options of kind and length, and forgets to go on to the next one.
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/tcp.h>
#include <bpf/bpf_helpers.h>

#define OPTION_END 0

__u64 options_seen;

SEC("xdp")
int count_options(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data;
	void *data_end = (void *)(long)ctx->data_end;
	__u8 *option = data + sizeof(struct ethhdr) + sizeof(struct iphdr) + sizeof(struct tcphdr);

	for (;;) { /* HERE */
		if ((void *)(option + 2) > data_end) /* HERE */
			return XDP_PASS;
		if (option[0] == OPTION_END) /* HERE */
			return XDP_PASS;
		__sync_fetch_and_add(&options_seen, 1); /* HERE */
	}
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
