// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// A function fills one byte more than its caller has room for: a loop that counts to the length
// inclusively.
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>

#define LABEL 16

static __noinline void fill(char *label, __u32 seed)
{
	for (int i = 0; i <= LABEL; i++) {
		seed = seed * 1103515245 + 12345;
		label[i] = seed >> 16; /* HERE */
	}
}

SEC("tc")
int label(struct __sk_buff *skb)
{
	char label[LABEL];

	fill(label, skb->hash);
	return label[0] ^ label[LABEL - 1] ? TC_ACT_OK : TC_ACT_PIPE;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
