// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Counts in a structure of constants, with a cast that takes the `const` away.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct settings {
	__u32 limit;
	__u32 hits;
};

const volatile struct settings settings = { .limit = 100 };

SEC("xdp")
int hit(struct xdp_md *ctx)
{
	volatile struct settings *mine = (volatile struct settings *)&settings;

	mine->hits++; /* HERE */
	return mine->hits > settings.limit ? XDP_DROP : XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
