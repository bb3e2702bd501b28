// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("xdp")
int drop_all(struct xdp_md *ctx)
{
	(void)ctx; /* whatever it is */
	return XDP_DROP;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
