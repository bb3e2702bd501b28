// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Looks for the end of a line in up to 9,000 bytes: each of them is one more place where the packet
// may end.
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <bpf/bpf_helpers.h>

#define JUMBO 9000

SEC("xdp")
int line_length(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data;
	void *data_end = (void *)(long)ctx->data_end;
	__u8 *payload = data + sizeof(struct ethhdr);
	__u32 sum = 0;

	for (int i = 0; i < JUMBO; i++) { /* HERE */
		if ((void *)(payload + i + 1) > data_end) /* HERE */
			break;
		sum += payload[i]; /* HERE */
	}
	return sum & 1 ? XDP_DROP : XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
