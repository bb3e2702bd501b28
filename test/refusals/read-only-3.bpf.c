// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Changes a packet in a cgroup program, which may only look at it.
#include <linux/bpf.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <bpf/bpf_helpers.h>

SEC("cgroup_skb/egress")
int set_tos(struct __sk_buff *skb)
{
	void *data = (void *)(long)skb->data;
	void *data_end = (void *)(long)skb->data_end;
	struct iphdr *ip = data;

	if ((void *)(ip + 1) > data_end || ip->version != 4)
		return 1;
	ip->tos = 0x10; /* HERE */
	return 1;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
