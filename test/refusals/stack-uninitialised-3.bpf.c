// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// A function reads a member of a structure that its caller forgot to set.
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>

struct limits {
	__u32 smallest;
	__u32 largest;
};

static __noinline int is_within(const struct limits *limits, __u32 length)
{
	if (length < limits->smallest)
		return 0;
	return length <= limits->largest; /* HERE */
}

SEC("tc")
int check_length(struct __sk_buff *skb)
{
	struct limits limits;

	limits.smallest = 64;
	return is_within(&limits, skb->len) ? TC_ACT_OK : TC_ACT_SHOT;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
