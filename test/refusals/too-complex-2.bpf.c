// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Adds up a weight for each of 64 limits that are exceeded: for the verifier each of them is and is
// not, which makes more sums than it can follow.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define LIMITS 64
#define ALARM 1000

__u32 values[LIMITS];

SEC("xdp")
int score(struct xdp_md *ctx)
{
	__u32 score = 0;

	for (int i = 0; i < LIMITS; i++) { /* HERE */
		if (values[i] > 100) /* HERE */
			score += i * i + 1; /* HERE */
	}
	return score > ALARM ? XDP_DROP : XDP_PASS; /* HERE */
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
